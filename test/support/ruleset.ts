// What a node of some objects has, for tests that trace packets.
import type { Ip } from '../../src/model/ip.ts';
import { parseIp } from '../../src/model/ip.ts';
import type { ClusterObject } from '../../src/model/kubernetes.ts';

export { rulesetOf } from '../../src/sync/offline.ts';

/** The addresses that a node of these objects has on its interfaces: its own, and loopback. */
export function hostIpsOf(objects: readonly ClusterObject[], nodeName: string): readonly Ip[] {
  const own = objects.flatMap((object) =>
    object.kind === 'Node' && object.value.name === nodeName ? object.value.ips : [],
  );
  return [...own, parseIp('127.0.0.1') as Ip, parseIp('::1') as Ip];
}
