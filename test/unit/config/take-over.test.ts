// What of a changed configuration counts at once, and what waits for the next start.
import { describe, expect, test } from 'vitest';
import type { FieldValues } from '../../../src/config/fields.ts';
import { takeOver } from '../../../src/config/take-over.ts';
import { loaded } from './load.ts';

const values = (body: string): FieldValues => loaded(body).values as FieldValues;

/** What of a file in place of another is taken over, and what is in force then, of some fields. */
function taken(before: string, after: string, ...shown: (keyof FieldValues)[]) {
  const { values: now, live, later } = takeOver(values(before), values(after));
  return { live, later, now: shown.map((path) => now[path]) };
}

describe('of a changed file', () => {
  test('nothing is taken over where it says the same', () => {
    expect(taken('oomScoreAdj: -999\n', '# the default\n')).toEqual({
      live: [],
      later: [],
      now: [],
    });
  });

  test('what decides about traffic counts at once', () => {
    const after = 'clusterCIDR: 10.0.0.0/8\nnftables: {masqueradeAll: true}\n';
    expect(taken('', after, 'clusterCIDR', 'nftables.masqueradeAll')).toEqual({
      live: ['clusterCIDR', 'nftables.masqueradeAll'],
      later: [],
      now: [['10.0.0.0/8'], true],
    });
  });

  test('what needs a new process keeps its old value', () => {
    const before = 'hostnameOverride: a\n';
    const after = 'hostnameOverride: b\nclusterCIDR: 10.0.0.0/8\n';
    expect(taken(before, after, 'hostnameOverride', 'clusterCIDR')).toEqual({
      live: ['clusterCIDR'],
      later: ['hostnameOverride'],
      now: ['a', ['10.0.0.0/8']],
    });
  });

  test('the mode waits, and with it what stands in the sections of modes', () => {
    const before = 'mode: nftables\n';
    const after = 'mode: iptables\nclusterCIDR: 10.0.0.0/8\niptables: {masqueradeAll: true}\n';
    expect(taken(before, after, 'mode', 'iptables.masqueradeAll', 'clusterCIDR')).toEqual({
      live: ['clusterCIDR'],
      later: ['mode', 'iptables.masqueradeAll'],
      now: ['nftables', false, ['10.0.0.0/8']],
    });
  });

  test('what has no effect anyway waits for nothing', () => {
    expect(taken('', 'winkernel: {networkName: a}\n')).toEqual({ live: [], later: [], now: [] });
  });
});
