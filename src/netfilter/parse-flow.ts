// One line of `conntrack -L` read: what a flow was sent to, and what answers. Pure.
import { parseIp } from '../model/ip.ts';
import type { Protocol } from '../model/kubernetes.ts';
import type { Flow } from './flows.ts';

// `udp 17 29 src=10.244.1.13 dst=10.96.0.53 sport=40033 dport=53 [UNREPLIED] src=10.244.2.53
// dst=10.244.1.13 sport=5353 dport=40033 mark=0 use=1`: first the original direction, then the reply's.
const entry =
  /^(udp|sctp|tcp) .*?src=\S+ dst=(\S+) sport=\d+ dport=(\d+) .*?src=(\S+) dst=\S+ sport=(\d+)/;

/**
 * The flow of this line; undefined where it is an entry of another kind, or was not sent to one of
 * `ports` (of all that a busy node has, most are not).
 */
export function parseFlow(line: string, ports: ReadonlySet<number>): Flow | undefined {
  const [, protocol, destination = '', destinationPort, replySource = '', replySourcePort] =
    entry.exec(line) ?? [];
  if (protocol === undefined || !ports.has(Number(destinationPort))) return undefined;
  const [to, from] = [parseIp(destination), parseIp(replySource)];
  if (to === undefined || from === undefined) return undefined;
  return {
    protocol: protocol as Protocol,
    destination: to,
    destinationPort: Number(destinationPort),
    replySource: from,
    replySourcePort: Number(replySourcePort),
  };
}
