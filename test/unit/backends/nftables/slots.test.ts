// Endpoints in slots: without gaps, each once, and as few of them moved as can be, whatever happens.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { arranged, capacityOf } from '../../../../src/backends/nftables/compile/slots.ts';
import type { Endpoint } from '../../../../src/model/forwarding.ts';
import type { Ip } from '../../../../src/model/ip.ts';

function endpoint(number: number): Endpoint {
  return { ip: `10.244.${number >> 8}.${number & 255}` as Ip, port: 8080, isLocal: false };
}

const [a, b, c, d] = [endpoint(1), endpoint(2), endpoint(3), endpoint(4)];

test.each([
  { what: 'nothing stands', now: [a, b], standing: undefined, slots: [a, b] },
  { what: 'one comes', now: [a, b, c], standing: [b, a], slots: [b, a, c] },
  {
    what: 'one goes, the last takes its slot',
    now: [b, c, d],
    standing: [b, a, c, d],
    slots: [b, d, c],
  },
  { what: 'the last goes', now: [a, b], standing: [b, a, c], slots: [b, a] },
  { what: 'one takes the place of another', now: [a, c], standing: [b, a], slots: [c, a] },
  { what: 'a slot is missing', now: [a, b], standing: [undefined, a], slots: [b, a] },
  { what: 'one stands twice', now: [a, b], standing: [a, a], slots: [a, b] },
])('$what', ({ now, standing, slots }) => {
  expect(arranged(now, standing)).toEqual(slots);
});

test('an endpoint that comes or goes changes one slot beside the last', () => {
  const numbers = fc.uniqueArray(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(
      numbers,
      fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 40 }),
      (first, toggled) => {
        let present = [...first].sort((one, other) => one - other);
        let slots = arranged(present.map(endpoint), undefined);
        for (const number of toggled) {
          present = present.includes(number)
            ? present.filter((one) => one !== number)
            : [...present, number].sort((one, other) => one - other);
          const next = arranged(present.map(endpoint), slots);
          expect(new Set(next.map(({ ip }) => ip)).size).toBe(present.length);
          const kept = Math.min(slots.length, next.length);
          const moved = next.slice(0, kept).filter(({ ip }, slot) => ip !== slots[slot]?.ip);
          expect(moved.length).toBeLessThanOrEqual(next.length < slots.length ? 1 : 0);
          slots = next;
        }
      },
    ),
  );
});

test('capacities are few, and more than two thirds full', () => {
  const capacities = new Set<number>();
  for (let endpoints = 1; endpoints <= 5000; endpoints += 1) {
    const capacity = capacityOf(endpoints);
    capacities.add(capacity);
    expect(endpoints).toBeLessThanOrEqual(capacity);
    expect(endpoints / capacity).toBeGreaterThan(2 / 3);
  }
  expect([...capacities]).toEqual([
    1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048,
    3072, 4096, 6144,
  ]);
});
