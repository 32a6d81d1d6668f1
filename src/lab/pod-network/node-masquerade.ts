// A node's own masquerade of what its pods send outside, as the pod networks of the field set it up
// beside the proxy: an nft table of its own, which the proxy must leave alone and get along with.
import type { Exec } from '../../host/tools/exec.ts';
import { clusterRange } from '../topology.ts';

/** Sets up the masquerade in the namespace of a node. */
export async function masqueradePods(exec: Exec, namespace: string): Promise<void> {
  await exec('ip', ['netns', 'exec', namespace, 'nft', '-f', '-'], { input: tables });
}

// What pods send to each other keeps its source, over whatever lies between their nodes.
const tables = [
  ['ip', clusterRange.ipv4, '224.0.0.0/4'],
  ['ip6', clusterRange.ipv6, 'ff00::/8'],
]
  .map(
    ([family, pods, multicast]) => `table ${family} pod-network {
  chain postrouting {
    type nat hook postrouting priority srcnat
    ${family} saddr ${pods} ${family} daddr != { ${pods}, ${multicast} } masquerade
  }
}
`,
  )
  .join('');
