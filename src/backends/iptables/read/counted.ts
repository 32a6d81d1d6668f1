// What the rules that lead to endpoints counted, out of what iptables-save prints with counters. Pure.
import type { Counted } from '../../../netfilter/counted.ts';
import type { PortPrefix } from '../names.ts';
import { endpointComments, portPrefixOf } from '../names.ts';

// `[3:180] -A KUBE-SVC-X -m comment --comment "web/shop:http -> 10.0.0.1:8080" ... -j KUBE-SEP-Y`
const toEndpoint = /^\[(\d+):\d+\] -A (\S+) .*--comment "([^"]*)" .*-j (\S+)$/;
const balancing: ReadonlySet<string | undefined> = new Set<PortPrefix>(['KUBE-SVC', 'KUBE-SVL']);

/** Every counter of a rule from a Service's chain to one of its endpoints. */
export function countedIn(saved: string): readonly Counted[] {
  return saved.split('\n').flatMap((line): readonly Counted[] => {
    const [, packets, from = '', comment = '', to = ''] = toEndpoint.exec(line) ?? [];
    if (!balancing.has(portPrefixOf(from)) || portPrefixOf(to) !== 'KUBE-SEP') return [];
    const read = endpointComments.read(comment);
    if (read === undefined) return [];
    const { endpoint, ...port } = read;
    return [{ of: { kind: 'port', ...port }, endpoint, connections: Number(packets) }];
  });
}
