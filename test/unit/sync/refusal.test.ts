// Which unit a refusal is about, by the place that the tool names in what it was told.
import { describe, expect, test } from 'vitest';
import { unitsNamedIn as namedByIptables } from '../../../src/backends/iptables/read/refusal.ts';
import { unitsNamedIn as namedByNft } from '../../../src/backends/nftables/read/refusal.ts';

describe('nft', () => {
  const input = [
    'add table ip sluice',
    'add set ip sluice affinity-9s-x { type ipv4_addr; timeout 9s; }',
    'add chain ip sluice local-x',
    'add rule ip sluice local-x tcp dport 70000 accept',
    'add element ip sluice services { 10.96.0.1 . tcp . 80 comment "shop/web:http", 10.96.0.2 . tcp . 80 }',
    'add element ip sluice slots { 10.96.0.1 . 80 . 0 : 10.244.0.1 . 8080, 10.96.0.2 . 80 . 0 : 10.244.0.1 . 70000 }',
    'delete element ip sluice slots { 10.96.0.3 . 80 . 0 }',
    '',
  ].join('\n');
  const at = (line: number, text: string): string => {
    const column = (input.split('\n')[line - 1] ?? '').indexOf(text) + 1;
    return `/dev/stdin:${line}:${column}-${column + text.length - 1}: Error: so\nwhatever\n  ^^^\n`;
  };

  test.each([
    ['a set', at(2, '9s'), ['set affinity-9s-x']],
    ['a chain', at(3, 'local-x'), ['chain local-x']],
    ['a rule', at(4, '70000'), ['chain local-x']],
    ['the first element', at(5, '10.96.0.1'), ['services 10.96.0.1 . tcp . 80']],
    ['the last element', at(5, '10.96.0.2'), ['services 10.96.0.2 . tcp . 80']],
    ['a map element', at(6, '70000'), ['slots 10.96.0.2 . 80 . 0']],
    ['one that goes', at(7, '10.96.0.3'), ['slots 10.96.0.3 . 80 . 0']],
    [
      'several, each once',
      at(6, '8080') + at(4, '70000') + at(4, 'accept'),
      ['slots 10.96.0.1 . 80 . 0', 'chain local-x'],
    ],
    ['the map as a whole', at(6, 'slots'), []],
    ['the table', at(1, 'sluice'), []],
    ['a line that is not there', '/dev/stdin:99:1-2: Error: so', []],
    ['JSON', 'internal:0:0-0: Error: so', []],
    ['nothing', 'Error: so', []],
  ])('%s', (_what, stderr, named) => {
    expect(namedByNft({ stderr, input })).toEqual(named);
  });
});

describe('iptables-restore', () => {
  const input =
    '# x\n*filter\n:A - [0:0]\n-A A -j B\nCOMMIT\n*nat\n:A - [0:0]\n-A A -j C\n-X A\nCOMMIT\n';

  test.each([
    ['Error occurred at line: 4\nTry', ['filter A']],
    ['iptables-restore: line 8 failed', ['nat A']],
    ['\nline 9: CHAIN_DEL failed (Device or resource busy)', ['nat A']],
    ['line 7: CHAIN_ADD failed', ['nat A']],
    ['iptables-restore: line 10 failed', []],
    ['iptables-restore: line 1 failed', []],
    ['no such luck', []],
  ])('%j', (stderr, named) => {
    expect(namedByIptables({ stderr, input })).toEqual(named);
  });
});
