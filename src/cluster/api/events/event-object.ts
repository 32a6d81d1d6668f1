// An Event as the API server takes it (events.k8s.io/v1), from what a part of the proxy reports: within the
// lengths that the server's validation allows. Pure.
import { createHash } from 'node:crypto';
import type { ClusterEvent } from '../../../model/cluster-event.ts';
import { printable } from '../../problem.ts';

/** When it happened, and how often; times in milliseconds since the epoch. */
export type Occurrence = {
  readonly firstMs: number;
  readonly lastMs: number;
  readonly count: number;
};

/** Who says so. */
export type Reporter = { readonly nodeName: string };

/** An object of events.k8s.io/v1, with what is read of it here. */
export type EventObject = {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly [field: string]: unknown;
};

const reportingController = 'sluice';
// The limits of the API server's validation, in bytes.
const longest = { name: 253, note: 1024, word: 128 };

/** While this lasts, what is said again is the same Event. */
export const windowMs = 10 * 60_000;

/** The Event as it is sent. */
export function eventObject(
  event: ClusterEvent,
  when: Occurrence,
  { nodeName }: Reporter,
): EventObject {
  const { regarding, type, reason, action, note } = event;
  const { kind, name, uid } = regarding;
  // Events of what has no namespace are in this one; others must be where their object is.
  const namespace = regarding.namespace === '' ? 'default' : regarding.namespace;
  const { count, firstMs, lastMs } = when;
  const own = regarding.namespace === '' ? {} : { namespace };
  const known = uid === undefined ? {} : { uid };
  return {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name: eventName(event, lastMs, nodeName), namespace },
    eventTime: microTime(firstMs),
    reportingController,
    reportingInstance: nodeName.slice(0, longest.word),
    action: action.slice(0, longest.word),
    reason: reason.slice(0, longest.word),
    regarding: { apiVersion: 'v1', kind, ...own, name, ...known },
    note: cut(printable(note), longest.note),
    type,
    ...(count > 1 ? { series: { count, lastObservedTime: microTime(lastMs) } } : {}),
  };
}

/** Two that are equal in this say the same. */
export function eventKey({ regarding, type, reason, action, note }: ClusterEvent): string {
  const { kind, namespace, name } = regarding;
  return createHash('sha256')
    .update(JSON.stringify([kind, namespace, name, type, reason, action, note]))
    .digest('base64url');
}

// By what it says and when, so that it is one object however often it is sent; and whichever node sends it,
// where all of them say it.
function eventName(event: ClusterEvent, atMs: number, nodeName: string): string {
  const said = [eventKey(event), event.isSameEverywhere === true ? '' : nodeName];
  const at = Math.floor(atMs / windowMs);
  const id = createHash('sha256')
    .update(JSON.stringify([...said, at]))
    .digest('hex')
    .slice(0, 16);
  // A name is cut where a letter or a digit ends it, as before any dot.
  const about = event.regarding.name.slice(0, longest.name - id.length - 1);
  return `${about.replace(/[^a-z0-9]+$/, '')}.${id}`;
}

// MicroTime has exactly six digits.
function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}

function cut(text: string, bytes: number): string {
  if (Buffer.byteLength(text) <= bytes) return text;
  const ellipsis = '…';
  const kept = Buffer.from(text).subarray(0, bytes - Buffer.byteLength(ellipsis));
  // Not in the middle of a character: then the decoder leaves a replacement character at the end.
  return `${kept.toString('utf8').replace(/\uFFFD+$/, '')}${ellipsis}`;
}
