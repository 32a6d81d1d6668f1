// What nft said of real packets, line by line, and what is made of it.
import { describe, expect, test } from 'vitest';
import { agrees, LiveWay } from '../../../src/explain/live.ts';
import type { Explanation } from '../../../src/explain/explanation.ts';
import { parseTraceLine } from '../../../src/netfilter/parse-trace.ts';
import type { Ip } from '../../../src/model/ip.ts';

const marks = {
  table: 'sluice-trace',
  start: 'start',
  endPostrouting: 'end-postrouting',
  endInput: 'end-input',
};

function packetLine(
  id: string,
  at: string,
  {
    from = '192.168.10.11',
    to = '10.96.0.10',
    sport = 36_596,
    dport = 80,
    way = 'oif "eth0"',
  } = {},
): string {
  const rest = `ip dscp cs0 ip ecn not-ect ip ttl 64 ip id 42855 ip length 60`;
  return `trace id ${id} ${at} packet: ${way} ip saddr ${from} ip daddr ${to} ${rest} tcp sport ${sport} tcp dport ${dport} tcp flags == syn tcp window 64240 `;
}

function wayOf(lines: readonly string[]): LiveWay {
  const way = new LiveWay('nftables', marks);
  for (const line of lines) {
    const event = parseTraceLine(line);
    if (event !== undefined) way.take(event);
  }
  return way;
}

const start = [
  packetLine('b7e', 'ip sluice-trace start'),
  'trace id b7e ip sluice-trace start unknown rule handle 3 (verdict continue)',
  'trace id b7e ip sluice-trace start policy accept ',
];
const ours = [
  packetLine('b7e', 'ip sluice nat-output'),
  'trace id b7e ip sluice nat-output rule jump services (verdict jump services)',
  'trace id b7e ip sluice services rule ip daddr . meta l4proto . th dport vmap @m comment "a (b)" (verdict goto c)',
];
const translated = { to: '10.244.1.11', dport: 8080 };

test('lines of all kinds', () => {
  expect(parseTraceLine(ours[2] as string)).toEqual({
    id: 'b7e',
    family: 'ip',
    table: 'sluice',
    chain: 'services',
    kind: 'rule',
    text: 'ip daddr . meta l4proto . th dport vmap @m comment "a (b)"',
    verdict: 'goto c',
  });
  expect(parseTraceLine('trace id 6f ip filter INPUT policy drop ')).toEqual({
    id: '6f',
    family: 'ip',
    table: 'filter',
    chain: 'INPUT',
    kind: 'policy',
    verdict: 'drop',
  });
  const six =
    'trace id 1c ip6 t c packet: iif "veth0" @ll,0,112 0x86dd ip6 saddr fd00::1 ip6 daddr fd00::2 ip6 dscp cs0 udp sport 9 udp dport 53 udp length 8';
  expect(parseTraceLine(six)).toEqual({
    id: '1c',
    family: 'ip6',
    table: 't',
    chain: 'c',
    kind: 'packet',
    packet: {
      inInterface: 'veth0',
      outInterface: undefined,
      source: 'fd00::1',
      destination: 'fd00::2',
      sourcePort: 9,
      port: 53,
    },
  });
  for (const other of ['', 'add table ip x', 'trace id b7e ip t c verdict continue ']) {
    expect(parseTraceLine(other)).toBeUndefined();
  }
});

describe('a way', () => {
  test('to the end, masqueraded', () => {
    const end = packetLine('b7e', 'ip sluice-trace end-postrouting', {
      ...translated,
      from: '10.244.1.1',
      sport: 999,
    });
    const way = wayOf([...start, ...ours]);
    const last = parseTraceLine(ours[2] as string);
    expect([way.end, way.isOver]).toEqual([{ kind: 'lost', last }, false]);
    const over = wayOf([...start, ...ours, end]);
    const after = { source: '10.244.1.1', destination: '10.244.1.11', port: 8080, sourcePort: 999 };
    expect([over.end, over.isOver]).toEqual([{ kind: 'passed', after }, true]);
    expect(over.steps.map(({ chain, owner }) => [chain, owner])).toEqual([
      ['nat-output', 'Sluice'],
      ['services', 'Sluice'],
    ]);
  });

  test('dropped by a rule of others, and refused', () => {
    const rule = (text: string): string =>
      `trace id b7e inet firewall out rule ${text} (verdict drop)`;
    const dropped = wayOf([...start, ...ours, rule('tcp dport 8080 drop')]).end;
    expect(dropped).toEqual({
      kind: 'dropped',
      by: {
        family: 'inet',
        table: 'firewall',
        chain: 'out',
        text: 'tcp dport 8080 drop',
        verdict: 'drop',
        owner: undefined,
      },
    });
    expect(wayOf([...start, rule('counter packets 0 bytes 0 reject')]).end.kind).toBe('rejected');
    const policy = { family: 'ip', table: 'filter', text: '', verdict: 'drop', owner: undefined };
    expect(wayOf([...start, 'trace id b7e ip filter OUTPUT policy drop ']).end).toEqual({
      kind: 'dropped',
      by: { ...policy, chain: 'OUTPUT' },
    });
  });

  test('to this host itself, which comes in as another packet from the same port', () => {
    const lo = packetLine('b7e', 'ip sluice-trace end-postrouting', { way: 'oif "lo"' });
    const comesIn = packetLine('e2a', 'ip filter INPUT', { way: 'iif "lo"' });
    expect(wayOf([...start, lo]).isOver).toBe(false);
    const way = wayOf([...start, lo, comesIn, 'trace id e2a ip filter INPUT policy drop ']);
    expect(way.end).toEqual({
      kind: 'dropped',
      by: {
        family: 'ip',
        table: 'filter',
        chain: 'INPUT',
        text: '',
        verdict: 'drop',
        owner: undefined,
      },
    });
  });

  test('others, and the same one sent again, are passed over', () => {
    const again = packetLine('fff', 'ip sluice-trace start');
    const stranger = packetLine('ccc', 'ip filter INPUT', { sport: 1 });
    const theirs = 'trace id ccc ip filter INPUT policy drop ';
    const way = wayOf([
      stranger,
      theirs,
      ...start,
      again,
      stranger,
      theirs,
      'trace id fff ip t c policy drop ',
    ]);
    expect(way.end.kind).toBe('lost');
    expect(way.steps).toEqual([]);
    expect(wayOf([stranger, theirs]).end).toEqual({ kind: 'unseen' });
  });
});

test('agreement is one end that fits, source and all', () => {
  const ends = [
    {
      verdict: 'forwarded',
      share: 1,
      after: { source: 'node', destination: '10.244.1.11', port: 8080 },
    },
  ];
  const answer = { ends } as unknown as Explanation;
  const hostIps = ['10.244.1.1' as Ip];
  const passed = (source: string, destination = '10.244.1.11', port = 8080): boolean => {
    const after = { source, destination, port, sourcePort: 1 } as never;
    return agrees({ kind: 'passed', after }, answer, hostIps);
  };
  expect(passed('10.244.1.1')).toBe(true);
  expect(passed('192.168.10.99')).toBe(false);
  expect(passed('10.244.1.1', '10.244.1.12')).toBe(false);
  expect(passed('10.244.1.1', '10.244.1.11', 80)).toBe(false);
  expect(agrees({ kind: 'unseen' }, answer, hostIps)).toBe(false);
  expect(agrees({ kind: 'dropped', by: {} as never }, answer, hostIps)).toBe(false);
});
