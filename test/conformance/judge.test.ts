// The judge itself: it must complain about each thing that can differ, and about nothing else.
import { expect, test } from 'vitest';
import type { Try } from '../../src/lab/agent/protocol.ts';
import type { Expectation, Probe } from './case.ts';
import { expectationOf, expectationOver } from './case.ts';
import { describeTries, judge, judgeSpread, triesFor } from './judge.ts';

const met = (name: string, source = '10.244.1.13'): Try => ({ result: 'ok', name, source });
const many = (name: string, count: number): readonly Try[] =>
  Array.from({ length: count }, () => met(name));
const refused: Try = { result: 'refused' };
const page = (status: number, body: unknown): Try => ({ result: 'page', status, body });

const two: Expectation = { result: 'ok', backends: ['p11', 'p21'], sources: ['10.244.1.13'] };

test.each<[what: string, expected: Expectation, tries: readonly Try[], unmet: string[]]>([
  ['agreement in any order', two, [met('p21'), met('p11'), met('p21')], []],
  ['a backend not met', two, [met('p11')], ['backends p11, p21']],
  ['a backend too many', two, [met('p11'), met('p21'), met('p22')], ['backends p11, p21']],
  ['another source', two, [met('p11'), met('p21', '10.244.1.1')], ['sources 10.244.1.13']],
  ['one refusal', two, [met('p11'), met('p21'), refused], ['ok of all 3 tries']],
  ['refusals', { result: 'refused' }, [refused, refused], []],
  [
    'silence in place of a refusal',
    { result: 'refused' },
    [{ result: 'timeout' }],
    ['refused of all 1 tries'],
  ],
  ['one backend', { result: 'ok', backends: 'exactly one' }, [met('p11'), met('p11')], []],
  [
    'two in place of one',
    { result: 'ok', backends: 'exactly one' },
    [met('p11'), met('p21')],
    ['exactly one backend'],
  ],
  ['a page', { result: 'ok', status: 503, body: { a: [1] } }, [page(503, { a: [1] })], []],
  [
    'another page',
    { result: 'ok', status: 200, body: { a: 1 } },
    [page(503, { a: 2 })],
    ['status 200', 'body {"a":1}'],
  ],
])('%s', (_, expected, tries, unmet) => {
  expect(judge(expected, tries)).toEqual(unmet);
});

test.each<[what: string, counts: readonly number[], isEven: boolean]>([
  ['even', [120, 118, 122, 121, 119], true],
  ['as uneven as chance makes it', [140, 105, 125, 110, 120], true],
  ['each half of what is left', [300, 150, 75, 38, 37], false],
  ['one endpoint twice as often', [200, 100, 100, 100, 100], false],
])('a spread that is %s', (_, counts, isEven) => {
  const tries = counts.flatMap((count, index) => many(`p${index}`, count));
  expect(judgeSpread(tries).length === 0).toBe(isEven);
});

test('more backends need more tries', () => {
  const probe: Probe = { from: 'n1', to: '', port: 80, protocol: 'tcp', tries: 4, expect: two };
  const triesOf = (count: number): number =>
    triesFor(probe, { result: 'ok', backends: Array.from({ length: count }, (_, i) => `p${i}`) });
  expect([1, 2, 3, 5].map(triesOf)).toEqual([4, 21, 37, 70]);
  expect(triesFor({ ...probe, tries: 600 }, two)).toBe(600);
});

test('an expectation by proxy mode', () => {
  const probe: Probe = {
    from: 'n1',
    to: '',
    port: 80,
    protocol: 'tcp',
    tries: 1,
    expect: { nftables: { result: 'refused' }, iptables: { result: 'timeout' } },
  };
  expect(expectationOf(probe, 'nftables')).toEqual({ result: 'refused' });
  expect(expectationOf(probe, 'iptables')).toEqual({ result: 'timeout' });
});

test('an expectation by pod network', () => {
  const sources = ['10.244.1.1', '192.168.10.11', 'fd00:10::11', '192.168.10.99'];
  const expected: Expectation = { result: 'ok', sources };
  const inTunnel = ['10.244.1.1', '10.244.1.0', 'fd00:244:1::ff', '192.168.10.99'];
  expect(expectationOver('host-gw', expected)).toEqual(expected);
  expect(expectationOver('macvlan', expected)).toEqual(expected);
  expect(expectationOver('vxlan', expected)).toEqual({ result: 'ok', sources: inTunnel });
  expect(expectationOver('udp', expected)).toEqual({ result: 'ok', sources: inTunnel });
});

test('what was seen reads in one line', () => {
  expect(describeTries([met('p21'), refused, met('p11'), met('p21', '10.244.1.1')])).toBe(
    '1x p11, 2x p21, 1x refused; from 10.244.1.1, 10.244.1.13',
  );
});
