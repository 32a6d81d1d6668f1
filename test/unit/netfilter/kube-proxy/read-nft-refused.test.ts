// A listing that is cut off, or none of nft's, is refused with its place; nothing else goes wrong with one.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RulesetError } from '../../../../src/netfilter/kube-proxy/outcome.ts';
import { readNft } from '../../../../src/netfilter/kube-proxy/read-nft.ts';
import { traceNft } from '../../../../src/netfilter/kube-proxy/trace-nft.ts';
import { packetOf } from '../../../support/packets.ts';
import { savedText } from './left-behind.ts';
import { listing, own, table } from './listing.ts';

describe('what is no listing is refused, with its place', () => {
  const at = (number: number, item: unknown): string =>
    JSON.stringify({ nftables: [...Array.from({ length: number - 1 }, () => head), item] });
  const head = { table: { family: 'ip', name: 'kube-proxy' } };

  test.each([
    ['', /^line 1: not the JSON of a whole listing/],
    ['{"nftables": [\n{"table":\n', /^line 3: not the JSON of a whole listing/],
    ['{}', /^line 1: this JSON is not what nft -j prints/],
    [at(3, 5), /^item 3: neither a table nor anything in one/],
    [at(2, { chain: { ...own } }), /^item 2: it has no name/],
    [at(2, { chain: { ...own, name: 'a', hook: 'input' } }), /^item 2: base chain a without/],
    [at(2, { set: { ...own, name: 'a', elem: 1 } }), /^item 2: set a without a list of elements/],
    [at(2, { rule: { ...own, chain: 'a', expr: [] } }), /^item 2: rule of chain a, which is not/],
    [listing([], [{ rule: { ...own, chain: 'start' } }]), /^item 7: rule of chain start without/],
    [listing([{ goto: { target: 'x' } }]), /^item 6: it leads to chain x, which is not listed/],
  ])('%j', (text, message) => {
    expect(() => readNft(text, table)).toThrow(RulesetError);
    expect(() => readNft(text, table)).toThrow(message);
  });

  test('wherever it is cut off', () => {
    const whole = savedText('nftables', 'IPv4').trimEnd();
    fc.assert(
      fc.property(fc.integer({ min: 0, max: whole.length - 1 }), (end) => {
        expect(() => readNft(whole.slice(0, end), table)).toThrow(/^line 1: /);
      }),
    );
  });

  const words =
    'match left right op vmap key data set map elem val concat prefix range numgen mode mod dnat addr ' +
    'meta ct mangle value | goto target drop __proto__ constructor';

  test('nothing that JSON can say makes it fail in another way', () => {
    const chain = { chain: { ...own, name: 'a', hook: 'prerouting', prio: 0 } };
    const packet = packetOf('pod 10.244.1.11', 'tcp 10.96.0.1 80');
    const shape = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.constantFrom('@a', '10.0.0.1', 'tcp', 'dport', 80, -1, 1.5, null, true, '*'),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom(...words.split(' ')), tie('value'), { maxKeys: 4 }),
      ),
    })).value;
    fc.assert(
      fc.property(fc.array(shape), (expr) => {
        const items = [head, chain, { rule: { ...own, chain: 'a', expr } }];
        try {
          const read = readNft(JSON.stringify({ nftables: items }), table);
          if (read !== undefined) traceNft({ table: read, hostIps: [] }, packet);
        } catch (error) {
          expect(error).toBeInstanceOf(RulesetError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
