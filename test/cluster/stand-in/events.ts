// Events as the API server takes them: held against the rules of its validation, kept by name.
import type { IncomingMessage } from 'node:http';
import type { KindInfo } from './kinds.ts';
import { statusReply, type Reply } from './replies.ts';

/** The fields of an Event that are looked at. */
export type SentEvent = {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly eventTime: string;
  readonly reportingController: string;
  readonly reportingInstance: string;
  readonly action: string;
  readonly reason: string;
  readonly regarding: {
    readonly kind: string;
    readonly namespace?: string;
    readonly name: string;
    readonly uid?: string;
  };
  readonly note: string;
  readonly type: string;
  readonly series?: { readonly count: number; readonly lastObservedTime: string };
};

/** How the kind is named in refusals. */
export const eventsInfo: Pick<KindInfo, 'plural' | 'group'> & { readonly kind: string } = {
  kind: 'Event',
  plural: 'events',
  group: 'events.k8s.io',
};

/** Invariant: #events has every Event that was taken, by namespace and name. */
export class EventSink {
  readonly #events = new Map<string, SentEvent>();
  #onTaken: () => void = () => {};

  get all(): readonly SentEvent[] {
    return [...this.#events.values()];
  }

  /** Resolves when so many were taken. */
  async taken(count: number): Promise<readonly SentEvent[]> {
    while (this.#events.size < count) {
      await new Promise<void>((resolve) => (this.#onTaken = resolve));
    }
    return this.all;
  }

  /** What the server says to a POST of the object. */
  create(path: string, object: SentEvent): Reply {
    const [, namespace] =
      /^\/apis\/events\.k8s\.io\/v1\/namespaces\/([^/]+)\/events$/.exec(path) ?? [];
    if (namespace === undefined) return statusReply(404, 'NotFound', 'no such path');
    const faults = faultsOf(object, namespace);
    if (faults.length > 0) return statusReply(422, 'Invalid', faults.join(', '));
    const id = `${namespace}/${object.metadata.name}`;
    if (this.#events.has(id)) return statusReply(409, 'AlreadyExists', `${id} already exists`);
    this.#events.set(id, object);
    this.#onTaken();
    return { status: 201, body: object };
  }
}

/** The body of a request. */
export async function readJson(request: IncomingMessage): Promise<SentEvent> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString()) as SentEvent;
}

// ValidateEventCreate of Kubernetes' pkg/apis/core/validation, for events.k8s.io/v1.
function faultsOf(event: SentEvent, namespace: string): readonly string[] {
  const { metadata, regarding, note, series } = event;
  const rules: Readonly<Record<string, boolean>> = {
    name: metadata.name.length <= 253 && /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(metadata.name),
    namespace: metadata.namespace === namespace && namespace === (regarding.namespace ?? 'default'),
    eventTime: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/.test(event.eventTime),
    reportingController: /^[a-z0-9][a-z0-9.-]*$/.test(event.reportingController),
    reportingInstance: isWord(event.reportingInstance),
    action: isWord(event.action),
    reason: isWord(event.reason),
    note: Buffer.byteLength(note) <= 1024,
    type: ['Normal', 'Warning'].includes(event.type),
    series: series === undefined || series.count > 1,
  };
  return Object.keys(rules).filter((field) => rules[field] !== true);
}

function isWord(text: string): boolean {
  return text !== '' && text.length <= 128;
}
