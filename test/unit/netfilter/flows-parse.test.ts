// What is read of conntrack's own lines.
import { expect, test } from 'vitest';
import { parseFlow } from '../../../src/netfilter/parse-flow.ts';

const ports = new Set([53, 30_053]);

test.each<[name: string, line: string, flow: object | undefined]>([
  [
    'an UDP entry that was answered',
    'udp      17 119 src=10.244.1.13 dst=10.96.0.53 sport=40033 dport=53 src=10.244.2.53 dst=10.244.1.13 sport=5353 dport=40033 [ASSURED] mark=0 use=1',
    {
      protocol: 'udp',
      destination: '10.96.0.53',
      destinationPort: 53,
      replySource: '10.244.2.53',
      replySourcePort: 5353,
    },
  ],
  [
    'one that was not, with counters and a zone',
    'udp      17 29 src=10.0.0.1 dst=192.168.0.2 sport=1 dport=30053 packets=1 bytes=29 [UNREPLIED] src=192.168.0.2 dst=10.0.0.1 sport=30053 dport=1 packets=0 bytes=0 mark=16384 zone=3 use=1',
    {
      protocol: 'udp',
      destination: '192.168.0.2',
      destinationPort: 30_053,
      replySource: '192.168.0.2',
      replySourcePort: 30_053,
    },
  ],
  [
    'SCTP over IPv6',
    'sctp     132 3 CLOSED src=fd00:244:1::13 dst=fd00:96::53 sport=1 dport=53 [UNREPLIED] src=fd00:244::53 dst=fd00:192::2 sport=5353 dport=1 mark=0 use=1',
    {
      protocol: 'sctp',
      destination: 'fd00:96::53',
      destinationPort: 53,
      replySource: 'fd00:244::53',
      replySourcePort: 5353,
    },
  ],
  [
    'another destination port, though the source port is one of ours',
    'udp      17 29 src=10.0.0.1 dst=10.96.0.53 sport=53 dport=54 [UNREPLIED] src=10.244.2.53 dst=10.0.0.1 sport=53 dport=53 mark=0 use=1',
    undefined,
  ],
  [
    'ICMP',
    'icmp     1 29 src=10.0.0.1 dst=10.0.0.2 type=8 code=0 id=53 src=10.0.0.2 dst=10.0.0.1 type=0 code=0 id=53 mark=0 use=1',
    undefined,
  ],
  ['no entry', 'conntrack v1.4.7 (conntrack-tools): 1 flow entries have been shown.', undefined],
  ['nothing', '', undefined],
])('%s', (_, line, flow) => {
  expect(parseFlow(line, ports)).toEqual(flow);
});
