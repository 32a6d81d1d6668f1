// A node whose nft is upgraded, or an image that brings another than the host's: what one version wrote
// as JSON, the other lists and changes as text, and the other way round.
import { expect, test } from 'vitest';
import { families } from '../../src/model/ip.ts';
import { plan } from '../../src/netfilter/plan.ts';
import { everyKind } from '../support/every-kind.ts';
import { networkNamespace } from '../support/network-namespace.ts';
import type { Input } from '../support/nftables-machine.ts';
import { load, machine, texts, wanted } from '../support/nftables-machine.ts';

const directions: readonly { readonly from: Input; readonly to: Input }[] = [
  { from: 'text', to: 'json' },
  { from: 'json', to: 'text' },
];
const cases = directions.flatMap((each) => families.map((family) => ({ ...each, family })));

test.each(cases)('$to takes over the $family table of $from', async ({ from, to, family }) => {
  const namespace = await networkNamespace();
  const [old, successor] = [await machine(from, namespace), await machine(to, namespace)];
  const objects = everyKind(family);
  const whole = wanted(old, family, objects);
  await load(old, family, whole);
  const found = await successor.backend.observe(family);
  expect(plan(found, whole)).toEqual([]);
  expect(texts(found)).toEqual(texts(whole));
  const changes = [objects.slice(12), objects.slice(0, -30), []];
  for (const [index, rest] of changes.entries()) {
    // In turns, so that each also lists what the two made together.
    const [one, other] = index % 2 === 0 ? [successor, old] : [old, successor];
    const next = wanted(one, family, rest);
    await load(one, family, next);
    const seen = await other.backend.observe(family);
    expect(plan(seen, next)).toEqual([]);
    expect(texts(seen)).toEqual(texts(next));
  }
  await load(successor, family, new Map());
  expect(await old.backend.observe(family)).toEqual(new Map());
});
