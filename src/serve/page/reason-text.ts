// Why an endpoint gets no traffic, in words.
import type { Reason } from '../../model/forwarding.ts';

/** The words. */
export function reasonText(reason: Reason): string {
  switch (reason.kind) {
    case 'not-ready':
      return 'not ready';
    case 'terminating-beside-ready':
      return 'terminating, and others are ready';
    case 'terminating-not-serving':
      return 'terminating, and no longer serving';
    case 'not-local':
      return 'not on this node, as the policy is Local';
    case 'other-zone':
      return `meant for zone ${reason.zones.join(', ')}`;
    case 'other-node':
      return `meant for node ${reason.nodes.join(', ')}`;
    default:
      return reason satisfies never;
  }
}
