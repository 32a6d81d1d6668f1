// What a traced packet's way says: in go the events of `nft monitor trace` in order, out come the rules
// that it met, how it ended, and whether that is what was explained. Pure.
import type { ChainOwner } from '../backends/chain-owner.ts';
import { chainOwner } from '../backends/chain-owner.ts';
import type { ProxyMode } from '../model/config.ts';
import type { Ip } from '../model/ip.ts';
import type { TraceEvent, TracedPacket, TracePlace } from '../netfilter/parse-trace.ts';
import type { End, Explanation } from './explanation.ts';

/** One rule, or one policy, that a real packet met. */
export type LiveStep = TracePlace & {
  /** The rule as nft lists it; '' for a policy. */
  readonly text: string;
  readonly verdict: string;
  /** Whose chain it is. */
  readonly owner: ChainOwner;
};

/** How a real packet ended. */
export type LiveEnd =
  /** Let through: it is such behind all rules. */
  | { readonly kind: 'passed'; readonly after: LivePacket }
  | { readonly kind: 'dropped' | 'rejected'; readonly by: LiveStep }
  /** No rule of nftables took it, and it never came to the end. */
  | { readonly kind: 'lost'; readonly last: TracePlace }
  | { readonly kind: 'unseen' };

export type LivePacket = {
  readonly source: Ip;
  readonly destination: Ip;
  readonly port: number;
  readonly sourcePort: number | undefined;
};

/** The names of what marks the way's begin and end. */
export type TraceMarks = {
  readonly table: string;
  readonly start: string;
  readonly endPostrouting: string;
  readonly endInput: string;
};

/** Collects one packet's way. Invariant: #events are those of the first packet that was marked. */
export class LiveWay {
  readonly #mode: ProxyMode;
  readonly #marks: TraceMarks;
  readonly #events: TraceEvent[] = [];
  readonly #ids = new Set<string>();
  readonly #strangers = new Set<string>();
  readonly #sourcePorts = new Set<number>();

  constructor(mode: ProxyMode, marks: TraceMarks) {
    this.#mode = mode;
    this.#marks = marks;
  }

  /** Takes an event; those of other packets are passed over. */
  take(event: TraceEvent): void {
    if (!this.#isOfIt(event)) {
      this.#strangers.add(event.id);
      return;
    }
    this.#ids.add(event.id);
    if (event.kind === 'packet' && event.packet.sourcePort !== undefined) {
      this.#sourcePorts.add(event.packet.sourcePort);
    }
    this.#events.push(event);
  }

  // What this host sends to itself comes in again as another packet, from the same port. One that is
  // sent again, for want of an answer, begins at the start.
  #isOfIt({ id, table, chain, ...event }: TraceEvent): boolean {
    if (this.#ids.has(id)) return true;
    if (this.#strangers.has(id) || event.kind !== 'packet') return false;
    const isStart = table === this.#marks.table && chain === this.#marks.start;
    if (isStart || this.#ids.size === 0) return isStart && this.#ids.size === 0;
    return this.#sourcePorts.has(event.packet.sourcePort ?? -1);
  }

  /** Nothing more can come. */
  get isOver(): boolean {
    const { kind } = this.end;
    return kind !== 'lost' && kind !== 'unseen';
  }

  /** The packet as it came, or was sent. */
  get first(): TracedPacket | undefined {
    const [first] = this.#events;
    return first?.kind === 'packet' ? first.packet : undefined;
  }

  /** What it met, but for our marks and chains that let it pass. */
  get steps(): readonly LiveStep[] {
    return this.#events.flatMap((event) => {
      if (event.kind === 'packet' || event.table === this.#marks.table) return [];
      if (event.kind === 'policy' && event.verdict !== 'drop') return [];
      return [stepOf(this.#mode, event)];
    });
  }

  get end(): LiveEnd {
    const last = this.#events.at(-1);
    if (last === undefined) return { kind: 'unseen' };
    const by = this.steps.find(({ verdict }) => verdict === 'drop');
    if (by !== undefined) return { kind: isReject(by) ? 'rejected' : 'dropped', by };
    const after = this.#atEnd();
    return after === undefined ? { kind: 'lost', last } : { kind: 'passed', after };
  }

  #atEnd(): LivePacket | undefined {
    const { table, endInput, endPostrouting } = this.#marks;
    const ends = this.#events.filter(
      (event) =>
        event.kind === 'packet' &&
        event.table === table &&
        (event.chain === endInput ||
          // What goes to this host itself comes in yet.
          (event.chain === endPostrouting && event.packet.outInterface !== 'lo')),
    );
    const last = ends.at(-1);
    if (last?.kind !== 'packet') return undefined;
    const { source, destination, port, sourcePort } = last.packet;
    if (source === undefined || destination === undefined || port === undefined) return undefined;
    return { source, destination, port, sourcePort };
  }
}

function stepOf(mode: ProxyMode, event: Exclude<TraceEvent, { kind: 'packet' }>): LiveStep {
  const { family, table, chain, verdict } = event;
  const text = event.kind === 'rule' ? event.text : '';
  return { family, table, chain, text, verdict, owner: chainOwner(mode, event) };
}

function isReject({ text }: LiveStep): boolean {
  return /\breject\b/i.test(text);
}

/** Whether a real packet ended in one of the ways that were explained. */
export function agrees(live: LiveEnd, { ends }: Explanation, hostIps: readonly Ip[]): boolean {
  if (live.kind === 'passed') return ends.some((end) => isSameEnd(live.after, end, hostIps));
  return ends.some(({ verdict }) => verdict === live.kind);
}

function isSameEnd(live: LivePacket, { after }: End, hostIps: readonly Ip[]): boolean {
  if (after === undefined) return false;
  const isThere = live.destination === after.destination && live.port === after.port;
  const isFrom =
    after.source === 'node' ? hostIps.includes(live.source) : live.source === after.source;
  return isThere && isFrom;
}
