// Limits to what a change may take away.
import { describe, expect, test } from 'vitest';
import { parseLimit, parsePercent, refusals } from '../../../src/diff/gates.ts';
import type { Gates } from '../../../src/diff/gates.ts';
import type { ServiceChange } from '../../../src/diff/service-change.ts';
import type { ServiceKey } from '../../../src/model/kubernetes.ts';

function change(name: string, before: number, after: number): ServiceChange {
  return {
    service: `shop/${name}` as ServiceKey,
    change: after === -1 ? 'removed' : 'changed',
    addresses: [],
    ports: [],
    endpoints: { before, after: Math.max(after, 0), added: 0, removed: before - after },
  };
}

const changes = [change('a', 10, 7), change('b', 3, 0), change('c', 2, 5), change('gone', 4, -1)];

function refused(gates: Partial<Gates>): readonly string[] {
  const all = { endpointsLost: undefined, servicesLost: undefined, ...gates };
  return refusals(changes, all, 20).map((refusal) =>
    refusal.gate === 'endpoints-lost'
      ? `${refusal.service} ${refusal.lost}/${refusal.of}`
      : `Services ${refusal.lost}/${refusal.of}`,
  );
}

describe('limits', () => {
  test.each<[gates: Partial<Gates>, refused: string[]]>([
    [{}, []],
    [{ endpointsLost: 0 }, ['shop/a 3/10', 'shop/b 3/3', 'shop/gone 4/4']],
    // Just as much as the limit is allowed.
    [{ endpointsLost: 30 }, ['shop/b 3/3', 'shop/gone 4/4']],
    [{ endpointsLost: 29.9 }, ['shop/a 3/10', 'shop/b 3/3', 'shop/gone 4/4']],
    [{ endpointsLost: 100 }, []],
    [{ servicesLost: { kind: 'count', value: 0 } }, ['Services 1/20']],
    [{ servicesLost: { kind: 'count', value: 1 } }, []],
    [{ servicesLost: { kind: 'percent', value: 4 } }, ['Services 1/20']],
    [{ servicesLost: { kind: 'percent', value: 5 } }, []],
    // Whether Services may go has a limit of its own then.
    [{ endpointsLost: 30, servicesLost: { kind: 'count', value: 1 } }, ['shop/b 3/3']],
  ])('%j', (gates, expected) => {
    expect(refused(gates)).toEqual(expected);
  });

  test.each<[text: string, percent: number | undefined, limit: unknown]>([
    ['30%', 30, { kind: 'percent', value: 30 }],
    ['0%', 0, { kind: 'percent', value: 0 }],
    ['100%', 100, { kind: 'percent', value: 100 }],
    ['2.5%', 2.5, { kind: 'percent', value: 2.5 }],
    ['3', undefined, { kind: 'count', value: 3 }],
    ['101%', undefined, undefined],
    ['-1%', undefined, undefined],
    ['', undefined, undefined],
    ['%', undefined, undefined],
    ['30 %', undefined, undefined],
  ])('%j is read', (text, percent, limit) => {
    expect(parsePercent(text)).toBe(percent);
    expect(parseLimit(text)).toEqual(limit);
  });
});
