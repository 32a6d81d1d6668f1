// What nft lists, statement by statement, asked with packets; what is not understood is told, not guessed.
import { describe, expect, test } from 'vitest';
import type { Ip } from '../../../../src/model/ip.ts';
import { readNft } from '../../../../src/netfilter/kube-proxy/read-nft.ts';
import { traceNft } from '../../../../src/netfilter/kube-proxy/trace-nft.ts';
import { packetOf } from '../../../support/packets.ts';
import { savedText } from './left-behind.ts';
import { listing, own, table } from './listing.ts';

/** What becomes of a packet, with its share, where `expr` is the only rule. */
function answers(
  expr: readonly object[],
  { from = 'pod 10.244.1.11 by cbr0', to = 'tcp 10.96.0.1 80', more = [] as object[] } = {},
): readonly string[] {
  const read = readNft(listing(expr, more), table);
  if (read === undefined) throw new Error('no table');
  return traceNft({ table: read, hostIps: ['192.168.0.1' as Ip] }, packetOf(from, to)).map(
    ({ verdict, endpoint, share, isMasqueraded }) =>
      [
        verdict,
        ...(endpoint === undefined ? [] : [`${endpoint.ip} ${endpoint.port}`]),
        ...(share === 1 ? [] : [share]),
        ...(isMasqueraded ? ['masqueraded'] : []),
      ].join(' '),
  );
}

const drop = { drop: null };
const match = (left: object, right: unknown, op = '=='): object => ({ match: { op, left, right } });
const payload = (protocol: string, field: string): object => ({ payload: { protocol, field } });
const saddr = payload('ip', 'saddr');
const daddr = payload('ip', 'daddr');
const dport = payload('th', 'dport');
const l4proto = { meta: { key: 'l4proto' } };
const iifname = { meta: { key: 'iifname' } };
const mark = { meta: { key: 'mark' } };
const ctState = { ct: { key: 'state' } };
const fib = (flag: string): object => ({ fib: { result: 'type', flags: [flag] } });
const numgen = (mod: number, offset = 0): object => ({ numgen: { mode: 'random', mod, offset } });
const prefix = (addr: string, len: number): object => ({ prefix: { addr, len } });

test.each([
  ['an address', match(daddr, '10.96.0.1'), true],
  ['another address', match(daddr, '10.96.0.2'), false],
  ['not an address', match(daddr, '10.96.0.1', '!='), false],
  ['a prefix', match(saddr, prefix('10.244.0.0', 16)), true],
  ['not a prefix', match(saddr, prefix('10.244.0.0', 16), '!='), false],
  ['a range', match(saddr, { range: ['10.244.1.9', '10.244.1.11'] }), true],
  ['outside of a range', match(saddr, { range: ['10.244.1.9', '10.244.1.10'] }), false],
  ['a set', match(saddr, { set: ['10.0.0.1', prefix('10.244.0.0', 16)] }), true],
  ['not in a set', match(saddr, { set: ['10.0.0.1', prefix('10.244.0.0', 16)] }, '!='), false],
  ['a port', match(dport, 80), true],
  ['a range of ports', match(dport, { range: [81, 90] }), false],
  ["its protocol's port", match(payload('tcp', 'dport'), 80), true],
  ["another protocol's port", match(payload('udp', 'dport'), 80), false],
  ["not another protocol's port", match(payload('udp', 'dport'), 81, '!='), false],
  ['a protocol by name', match(l4proto, 'tcp'), true],
  ['a protocol by number', match(l4proto, 6), true],
  ['another protocol by number', match(l4proto, 17), false],
  ['an interface', match(iifname, 'cbr0'), true],
  ['interfaces that begin so', match(iifname, 'cbr*'), true],
  ['not interfaces that begin so', match(iifname, 'veth*', '!='), true],
  ['a key of several', match({ concat: [saddr, dport] }, { concat: ['10.244.1.11', 80] }), true],
  [
    'a key with a range',
    match({ concat: [saddr, dport] }, { set: [{ concat: [prefix('10.244.1.0', 24), 80] }] }),
    true,
  ],
  ['a new connection', match(ctState, 'new', 'in'), true],
  ['one of two states', match(ctState, ['established', 'new'], 'in'), true],
  ['an old connection', match(ctState, ['established', 'related'], 'in'), false],
  ['a set of states', match(ctState, { set: ['established', 'related'] }), false],
  ['not a new connection', match(ctState, 'new', '!='), false],
  ['a translated connection', match({ ct: { key: 'status' } }, 'dnat', 'in'), false],
  ['from this node', match(fib('saddr'), 'local'), false],
  ['not from this node', match(fib('saddr'), 'local', '!='), true],
  ['no mark', match(mark, 0), true],
  ['a bit of the mark', match({ '&': [mark, 0x4000] }, 0, '!='), false],
  ['a named set', match(daddr, '@known'), true],
])('match: %s', (_, condition, isDropped) => {
  const known = { set: { ...own, name: 'known', type: 'ipv4_addr', elem: ['10.96.0.1'] } };
  const given = answers([condition, { counter: { packets: 0, bytes: 0 } }, drop], {
    more: [known],
  });
  expect(given).toEqual([isDropped ? 'dropped' : 'untouched']);
});

test('elements in their wrapping: comments, times', () => {
  const elem = [{ elem: { val: '10.96.0.1', comment: 'web' } }];
  const known = { set: { ...own, name: 'known', type: 'ipv4_addr', elem } };
  expect(answers([match(daddr, '@known'), drop], { more: [known] })).toEqual(['dropped']);
});

test('clients that are remembered are not there at a first connection', () => {
  const elem = [{ elem: { val: '10.244.1.11', timeout: 600, expires: 599 } }];
  for (const how of [{ timeout: 600 }, { flags: ['timeout'] }, { flags: 'dynamic' }]) {
    const known = { set: { ...own, name: 'known', type: 'ipv4_addr', elem, ...how } };
    expect(answers([match(saddr, '@known'), drop], { more: [known] })).toEqual(['untouched']);
  }
});

test.each([
  ['drop', [{ drop: null }], ['dropped']],
  ['reject', [{ reject: { type: 'tcp reset' } }], ['rejected']],
  ['accept', [{ accept: null }], ['untouched']],
  ['goto', [{ goto: { target: 'target' } }], ['dropped']],
  ['jump', [{ jump: { target: 'target' } }], ['dropped']],
  ['return', [{ return: null }, drop], ['untouched']],
  ['masquerade', [{ masquerade: null }], ['untouched masqueraded']],
  ['dnat', [{ dnat: { addr: '10.0.0.1', port: 81 } }], ['forwarded 10.0.0.1 81']],
  ['dnat that keeps the port', [{ dnat: { addr: '10.0.0.1' } }], ['forwarded 10.0.0.1 80']],
])('%s', (_, expr, expected) => {
  expect(answers(expr)).toEqual(expected);
});

test.each([
  ['set', 0x10, 0x10],
  ['or', { '|': [mark, 0x10] }, 0x10],
  ['xor', { '^': [mark, 0x10] }, 0x10],
  ['and', { '&': [mark, 0x10] }, 0],
  ['and, then or', { '|': [{ '&': [mark, 0xff00] }, 0x20] }, 0x20],
])('mark: %s', (_, value, expected) => {
  const set = { mangle: { key: mark, value } };
  expect(answers([set, match(mark, expected), drop])).toEqual(['dropped']);
});

describe('maps', () => {
  const to = (ip: string, port: number): object => ({ concat: [ip, port] });

  test('to verdicts, by name', () => {
    const key = { concat: [daddr, l4proto, dport] };
    const elem = [
      [{ elem: { val: { concat: ['10.96.0.1', 6, 80] }, comment: 'web' } }, { drop: null }],
      [{ concat: ['10.96.0.1', 6, 81] }, { goto: { target: 'target' } }],
      [{ concat: ['10.96.0.1', 6, 82] }, { return: null }],
    ];
    const more = [{ map: { ...own, name: 'services', map: 'verdict', elem } }];
    const rule = [{ vmap: { key, data: '@services' } }];
    const seen = [80, 81, 82, 83].map((port) =>
      answers(rule, { more, to: `tcp 10.96.0.1 ${port}` }),
    );
    expect(seen).toEqual([['dropped'], ['dropped'], ['untouched'], ['untouched']]);
  });

  test('of random numbers to verdicts', () => {
    const data = {
      set: [
        [{ range: [0, 1] }, { drop: null }],
        [3, { accept: null }],
      ],
    };
    expect(answers([{ vmap: { key: numgen(4), data } }])).toEqual([
      'dropped 0.25',
      'dropped 0.25',
      'untouched 0.25',
      'untouched 0.25',
    ]);
  });

  test('of random numbers to endpoints', () => {
    const data = {
      set: [
        [5, to('10.0.0.1', 81)],
        [6, to('10.0.0.2', 82)],
        [7, '10.0.0.3'],
      ],
    };
    const addr = { map: { key: numgen(3, 5), data } };
    expect(answers([{ dnat: { family: 'ip', addr } }])).toEqual([
      'forwarded 10.0.0.1 81 0.3333333333333333',
      'forwarded 10.0.0.2 82 0.3333333333333333',
      'forwarded 10.0.0.3 80 0.3333333333333333',
    ]);
  });

  test('of addresses with random numbers to endpoints', () => {
    const key = { concat: [daddr, payload('tcp', 'dport'), numgen(2)] };
    const elem = [
      [{ concat: ['10.96.0.1', 80, 0] }, to('10.0.0.1', 81)],
      [{ concat: ['10.96.0.1', 80, 1] }, to('10.0.0.2', 82)],
    ];
    const more = [{ map: { ...own, name: 'endpoints', elem } }];
    const rule = [{ dnat: { family: 'ip', addr: { map: { key, data: '@endpoints' } } } }];
    expect(answers(rule, { more })).toEqual([
      'forwarded 10.0.0.1 81 0.5',
      'forwarded 10.0.0.2 82 0.5',
    ]);
    expect(answers(rule, { more, to: 'udp 10.96.0.1 80' })).toEqual(['untouched']);
  });

  test('a random number alone', () => {
    expect(answers([match(numgen(3), 0), drop])).toEqual([
      'dropped 0.3333333333333333',
      'untouched 0.6666666666666666',
    ]);
  });
});

test('a packet comes back from a jump, and not from a goto', () => {
  const more = [
    { chain: { ...own, name: 'empty' } },
    { rule: { ...own, chain: 'start', expr: [drop] } },
  ];
  expect(answers([{ jump: { target: 'empty' } }], { more })).toEqual(['dropped']);
  expect(answers([{ goto: { target: 'empty' } }], { more })).toEqual(['untouched']);
});

test('base chains are entered by priority, and a policy is obeyed', () => {
  const chain = (name: string, prio: number, policy: string): object => ({
    chain: { ...own, name, type: 'filter', hook: 'prerouting', prio, policy },
  });
  const reject = { rule: { ...own, chain: 'early', expr: [{ reject: null }] } };
  expect(answers([drop], { more: [chain('early', -1, 'accept'), reject] })).toEqual(['rejected']);
  expect(answers([{ accept: null }], { more: [chain('late', 1, 'drop')] })).toEqual(['dropped']);
});

test.each([
  ['a statement', [{ limit: { rate: 1, per: 'second' } }, drop]],
  ['an operator', [match(dport, 80, '<'), drop]],
  ['a field', [match(payload('tcp', 'sport'), 80), drop]],
  ['a value', [match(daddr, 'example.com'), drop]],
  ['a state', [match(ctState, 1, 'in'), drop]],
  ['a status', [match({ ct: { key: 'status' } }, 'snat', 'in'), drop]],
  ['a type of address', [match(fib('daddr'), 'broadcast'), drop]],
  ['a set that is not there', [match(daddr, '@missing'), drop]],
  ['a round of numbers', [match({ numgen: { mode: 'inc', mod: 2 } }, 0), drop]],
  ['too many numbers', [match(numgen(4e9), 0), drop]],
  ['an address with flags', [{ dnat: { addr: { map: {} }, port: 1 } }]],
  ['a mark of a mark', [{ mangle: { key: mark, value: { '|': [mark, mark] } } }, drop]],
  ['another mark', [{ mangle: { key: { ct: { key: 'mark' } }, value: 1 } }, drop]],
  ['two statements in one', [{ drop: null, accept: null }]],
  ['nothing', [{}]],
  ['an element of a map', [{ vmap: { key: daddr, data: { set: [['10.0.0.1', { queue: 1 }]] } } }]],
  ['an element of a set', [match(daddr, { set: ['*'] }, '!='), drop]],
])('%s that is not understood is told', (_, expr) => {
  expect(answers(expr)).toEqual(['unknown']);
});

test('there is no table where the listing has none of that name and family', () => {
  expect(readNft('{"nftables":[]}', table)).toBeUndefined();
  expect(readNft(savedText('nftables', 'IPv6'), table)).toBeUndefined();
  expect(readNft(savedText('nftables', 'IPv4'), { ...table, name: 'sluice' })).toBeUndefined();
});
