// Why endpoints of one Service port are skipped, by the fields of their slices. There may be thousands of them, so
// those that are skipped alike share one reason.
import type { EndpointSlice } from '../model/kubernetes.ts';
import type { Cause, Reason, SkipKind } from '../model/reason.ts';
import type { Candidate } from './endpoints.ts';

type Read = { readonly field: string; readonly value: (candidate: Candidate) => string };

const fields: Readonly<Record<SkipKind, Read>> = {
  'special-address': { field: 'endpoints[].addresses[0]', value: ({ endpoint }) => endpoint.ip },
  'not-ready': { field: 'endpoints[].conditions.ready', value: () => 'false' },
  'terminating-beside-ready': { field: 'endpoints[].conditions.terminating', value: () => 'true' },
  'terminating-not-serving': { field: 'endpoints[].conditions.serving', value: () => 'false' },
  'not-local': { field: 'endpoints[].nodeName', value: ({ nodeName = '' }) => nodeName },
  'other-zone': {
    field: 'endpoints[].hints.forZones',
    value: ({ zoneHints }) => zoneHints.join(', '),
  },
  'other-node': {
    field: 'endpoints[].hints.forNodes',
    value: ({ nodeHints }) => nodeHints.join(', '),
  },
};

/** Invariant: #known has one reason for each kind, slice and value, #objects one name for each slice. */
export class SkipReasons {
  readonly #known = new Map<string, Reason<SkipKind>>();
  readonly #objects = new Map<EndpointSlice, Cause['object']>();

  /** The reason of this kind for leaving the candidate out. */
  of(kind: SkipKind, candidate: Candidate): Reason<SkipKind> {
    const { field, value: read } = fields[kind];
    const value = read(candidate);
    const id = `${kind} ${candidate.slice.name} ${value}`;
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    const reason = { kind, object: this.#objectOf(candidate.slice), field, value };
    this.#known.set(id, reason);
    return reason;
  }

  #objectOf(slice: EndpointSlice): Cause['object'] {
    const known = this.#objects.get(slice);
    const object = known ?? (`EndpointSlice ${slice.namespace}/${slice.name}` as const);
    if (known === undefined) this.#objects.set(slice, object);
    return object;
  }
}
