// Who sends the packet, and by which field that is known. Pure.
import type { Sender } from '../model/forwarding.ts';
import { isLocalAddress } from '../model/settings.ts';
import type { Packet } from '../netfilter/trace.ts';
import { isFromPod } from '../netfilter/trace.ts';
import type { Reason } from '../model/reason.ts';
import type { ClientKind } from './explanation.ts';
import type { World } from './world.ts';

/** The sender as routes know it, and what is said of it. */
export type Client = { readonly sender: Sender; readonly reason: Reason<ClientKind> };

/** What the rules can know of the sender. An address of this node may be one of the pods' range too. */
export function clientOf({ pods, hostIps }: World, packet: Packet): Client {
  const isPod = pods.source !== undefined && isFromPod(packet, pods.source);
  const isNode = isLocalAddress(packet.source, hostIps);
  if (isNode) {
    const [object, field] = ['this node', 'interface addresses'] as const;
    const reason = { kind: 'from-node', object, field, value: packet.source } as const;
    return { sender: isPod ? 'pod' : 'node', reason };
  }
  if (isPod) return { sender: 'pod', reason: { kind: 'from-pod', ...pods.cause } };
  const kind = pods.source === undefined ? 'pods-unknown' : 'from-outside';
  return { sender: 'outside', reason: { kind, ...pods.cause } };
}
