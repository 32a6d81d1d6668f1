// What iptables-save prints, read word by word; what is not understood stays text; what is cut off says so.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseIptablesRule } from '../../../../src/netfilter/kube-proxy/iptables/parse-rule.ts';
import { RulesetError } from '../../../../src/netfilter/kube-proxy/outcome.ts';
import { readIptables } from '../../../../src/netfilter/kube-proxy/read-iptables.ts';
import { savedText } from './left-behind.ts';

const half = { numerator: 1n, denominator: 2n };

test.each([
  ['-s 10.0.0.0/8', { kind: 'source', is: true, cidr: '10.0.0.0/8' }],
  ['! -s 10.0.0.1', { kind: 'source', is: false, cidr: '10.0.0.1/32' }],
  ['-d fd00::1/128', { kind: 'destination', is: true, cidr: 'fd00::1/128' }],
  ['! -d 127.0.0.0/8', { kind: 'destination', is: false, cidr: '127.0.0.0/8' }],
  ['-i cbr0', { kind: 'in-interface', is: true, name: 'cbr0' }],
  ['! -i veth+', { kind: 'in-interface', is: false, name: 'veth+' }],
  ['-p tcp', { kind: 'protocol', is: true, protocol: 'tcp' }],
  ['-p 132', { kind: 'protocol', is: true, protocol: 'sctp' }],
  ['-m tcp --dport 80', { kind: 'port', is: true, first: 80, last: 80 }],
  ['-m udp ! --dport 80:90', { kind: 'port', is: false, first: 80, last: 90 }],
  ['-m mark --mark 0x4000/0x4000', { kind: 'mark', is: true, value: 0x4000, mask: 0x4000 }],
  ['-m mark ! --mark 1', { kind: 'mark', is: false, value: 1, mask: 0xffff_ffff }],
  ['-m conntrack --ctstate NEW', { kind: 'state', is: true, states: ['NEW'] }],
  [
    '-m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT',
    { kind: 'state', is: false, states: ['RELATED', 'ESTABLISHED', 'DNAT'] },
  ],
  ['-m addrtype --src-type LOCAL', { kind: 'local', is: true, end: 'source' }],
  ['-m addrtype ! --dst-type LOCAL', { kind: 'local', is: false, end: 'destination' }],
  ['-m statistic --mode random --probability 0.50000000000', { kind: 'random', share: half }],
  [
    '-m recent --rcheck --seconds 600 --reap --name X --mask 255.255.255.255 --rsource',
    { kind: 'recent', is: true, use: 'check' },
  ],
  ['-m recent --set --name X --rsource', { kind: 'recent', is: true, use: 'set' }],
])('match %s', (text, expected) => {
  expect(parse(text).matches).toEqual([expected]);
});

test.each([
  ['-j KUBE-SVC-X', { kind: 'jump', chain: 'KUBE-SVC-X' }],
  ['-g KUBE-SVC-X', { kind: 'goto', chain: 'KUBE-SVC-X' }],
  ['-j RETURN', { kind: 'return' }],
  ['-j ACCEPT', { kind: 'accept' }],
  ['-j DROP', { kind: 'drop' }],
  ['-j REJECT --reject-with icmp-port-unreachable', { kind: 'reject' }],
  ['-j MASQUERADE --random-fully', { kind: 'masquerade' }],
  ['-j DNAT --to-destination 10.0.0.1:80', { kind: 'dnat', ip: '10.0.0.1', port: 80 }],
  ['-j DNAT --to-destination 10.0.0.1', { kind: 'dnat', ip: '10.0.0.1', port: undefined }],
  ['-j DNAT --to-destination [fd00::1]:80', { kind: 'dnat', ip: 'fd00::1', port: 80 }],
  ['-j DNAT --to-destination fd00::1', { kind: 'dnat', ip: 'fd00::1', port: undefined }],
  ['-j MARK --set-xmark 0x4000/0x4000', { kind: 'mark', keep: 0xffff_bfff, flip: 0x4000 }],
  ['-j MARK --set-xmark 0x4000/0x0', { kind: 'mark', keep: 0xffff_ffff, flip: 0x4000 }],
  ['-j MARK --or-mark 0x4000', { kind: 'mark', keep: 0xffff_bfff, flip: 0x4000 }],
  ['-j MARK --xor-mark 0x4000', { kind: 'mark', keep: 0xffff_ffff, flip: 0x4000 }],
  ['-j MARK --and-mark 0x4000', { kind: 'mark', keep: 0x4000, flip: 0 }],
  ['', { kind: 'none' }],
])('target %s', (text, expected) => {
  expect(parse(text)).toEqual({ comment: '', matches: [], target: expected, text });
});

test.each([
  ['-m nfacct --nfacct-name  ct_state_invalid_dropped_pkts', ''],
  ['-m comment --comment --comment', '--comment'],
])('%s says nothing of packets', (text, comment) => {
  expect(parse(text)).toEqual({ comment, matches: [], target: { kind: 'none' }, text });
});

test.each([
  '-o eth0',
  '-s 10.0.0.0/255.0.255.0',
  '-p tcp --tcp-flags SYN SYN',
  '-m tcp --dport 80 --sport 80',
  '-m multiport --dports 80,81',
  '-m mark --mark 0x4000/0x4000/1',
  '-m addrtype --dst-type BROADCAST',
  '-m addrtype --dst-type LOCAL --limit-iface-in',
  '-m statistic --mode nth --every 2 --packet 0',
  '-m statistic --mode random ! --probability 0.5',
  '-m recent --rcheck --hitcount 3 --name X',
  '-m recent --remove --name X',
  '-m set --match-set CLUSTER dst,dst',
  '! -m tcp',
])('match %s is not understood', (text) => {
  expect(parse(text).matches).toEqual([{ kind: 'unknown', text }]);
});

test('a negation of nothing is not understood', () => {
  expect(parse('!').matches).toEqual([{ kind: 'unknown', text: '! !' }]);
});

test.each([
  '-j DNAT --to-destination 10.0.0.1-10.0.0.9:80',
  '-j DNAT --to-destination :0 --persistent --to-destination :0 --persistent',
  '-j SNAT --to-source 10.0.0.1',
  '-j LOG',
  '-j cali-FORWARD',
  '-j KUBE-ROUTER-FORWARD',
  '-g somewhere',
  '-j MARK --set-xmark 0x400000000/0x0',
  '! -j ACCEPT',
])('target %s is not understood', (text) => {
  expect(parse(text).target).toEqual({ kind: 'unknown', text });
});

test.each([
  ['0.33333333349', 3n],
  ['0.14285714319', 7n],
  ['0.00019999966', 5000n],
  ['0.0000999998', 10_000n],
])('probability %s is one in %s', (probability, ways) => {
  const { matches } = parse(`-m statistic --mode random --probability ${probability}`);
  expect(matches).toEqual([{ kind: 'random', share: { numerator: 1n, denominator: ways } }]);
});

test('a comment is taken out of its quotes', () => {
  const saved = `*nat
:KUBE-SERVICES - [0:0]
[12:720] -A KUBE-SERVICES -m comment --comment "a \\"b\\" \\\\ c" -j RETURN
COMMIT
`;
  const [rule] = readIptables(saved).nat.get('KUBE-SERVICES')?.rules ?? [];
  expect(rule).toEqual({
    comment: 'a "b" \\ c',
    matches: [],
    target: { kind: 'return' },
    text: '-m comment --comment "a \\"b\\" \\\\ c" -j RETURN',
  });
});

test('of built-in chains only the jumps to Kubernetes chains are read', () => {
  const { nat, filter } = readIptables(`*filter
:FORWARD DROP [0:0]
:KUBE-FORWARD - [0:0]
:KUBE-ROUTER-FORWARD - [0:0]
:cali-FORWARD - [0:0]
-A FORWARD -m comment --comment " KUBE-FORWARD" -j cali-FORWARD
-A FORWARD -j KUBE-ROUTER-FORWARD
-A FORWARD -m foo --bar -j KUBE-FORWARD
-A FORWARD "not even words
-A cali-FORWARD -j ACCEPT
COMMIT
*mangle
:KUBE-PROXY-CANARY - [0:0]
COMMIT
`);
  expect([...nat.keys()]).toEqual([]);
  expect([...filter.keys()]).toEqual(['FORWARD', 'KUBE-FORWARD']);
  expect(filter.get('FORWARD')?.rules).toEqual([
    {
      comment: '',
      matches: [{ kind: 'unknown', text: '-m foo --bar' }],
      target: { kind: 'jump', chain: 'KUBE-FORWARD' },
      text: '-m foo --bar -j KUBE-FORWARD',
    },
  ]);
});

describe('what is no ruleset is refused, with the line', () => {
  test.each([
    ['hello\n', 'line 1: "hello" stands outside of any table'],
    ['*nat\n:KUBE-A - [0:0]\n', 'line 3: table nat is cut off: it has no COMMIT'],
    ['*nat\n*filter\n', 'line 2: table nat is not ended by COMMIT'],
    ['*nat\nCOMMIT\n*nat\nCOMMIT\n', 'line 3: table nat comes twice; is this of two families?'],
    ['*nat\n-A KUBE-A -j RETURN\nCOMMIT\n', 'line 2: chain KUBE-A is not declared in table nat'],
    [
      '*nat\n:KUBE-A - [0:0]\n-A KUBE-A -j KUBE-B\nCOMMIT\n',
      'line 3: chain KUBE-B is not declared in table nat',
    ],
    [
      '*nat\n:KUBE-A - [0:0]\n-A KUBE-A -m comment --comment "x -j RETURN\nCOMMIT\n',
      'line 3: a quote is not closed',
    ],
    ['*nat\n-X KUBE-A\nCOMMIT\n', 'line 2: "-X KUBE-A" is neither a chain nor a rule'],
    [`*nat\n${'x'.repeat(99)}\n`, `line 2: "${'x'.repeat(60)}..." is neither a chain nor a rule`],
  ])('%j', (saved, message) => {
    expect(() => readIptables(saved)).toThrow(new RulesetError(message));
  });

  test('wherever it is cut off inside of a table', () => {
    const saved = savedText('iptables', 'IPv4');
    const [start, end] = [saved.indexOf('*nat') + 4, saved.lastIndexOf('COMMIT')];
    fc.assert(
      fc.property(fc.integer({ min: start, max: end }), (at) => {
        expect(() => readIptables(saved.slice(0, at))).toThrow(/^line \d+: /);
      }),
    );
  });

  test('nothing that can be written makes it fail in another way', () => {
    const word = fc.constantFrom(
      '*nat',
      ':KUBE-A',
      '-A',
      'KUBE-A',
      '!',
      '-m',
      '"',
      '\\',
      '--x',
      ' ',
    );
    const text = fc.array(fc.oneof(word, fc.constantFrom('\n', ' '), fc.string()));
    fc.assert(
      fc.property(text, (parts) => {
        try {
          readIptables(`*nat\n:KUBE-A - [0:0]\n-A KUBE-A ${parts.join('')}\nCOMMIT\n`);
        } catch (error) {
          expect(error).toBeInstanceOf(RulesetError);
        }
      }),
    );
  });
});

test('an empty kernel is printed as nothing', () => {
  expect(readIptables('')).toEqual({ filter: new Map(), nat: new Map() });
});

function parse(text: string): ReturnType<typeof parseIptablesRule> {
  return parseIptablesRule(
    text.split(' ').filter((word) => word !== ''),
    text,
  );
}
