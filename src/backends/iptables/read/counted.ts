// What the rules that lead to endpoints counted, out of what iptables-save prints with counters. Pure.
import type { Counted } from '../../../netfilter/counted.ts';
import { endpointComments } from '../names.ts';

// `[3:180] -A KUBE-SVC-X -m comment --comment "web/shop:http -> 10.0.0.1:8080" ... -j KUBE-SEP-Y`
const toEndpoint = /^\[(\d+):\d+\] -A KUBE-(?:SVC|SVL)-\S+ .*--comment "([^"]*)" .*-j KUBE-SEP-/;

/** Every counter of a rule from a Service's chain to one of its endpoints. */
export function countedIn(saved: string): readonly Counted[] {
  return saved.split('\n').flatMap((line): readonly Counted[] => {
    const [, packets, comment = ''] = toEndpoint.exec(line) ?? [];
    const read = endpointComments.read(comment);
    if (read === undefined) return [];
    const { endpoint, ...port } = read;
    return [{ of: { kind: 'port', ...port }, endpoint, connections: Number(packets) }];
  });
}
