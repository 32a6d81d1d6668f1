import { expect, test } from 'vitest';
import { containers } from '../../../../src/backends/nftables/schema.ts';
import { partsOf, transactionOf } from '../../../../src/backends/nftables/transaction.ts';
import { elementUnit, tableUnit } from '../../../../src/backends/nftables/unit.ts';
import type { ElementUnit, NftUnit } from '../../../../src/backends/nftables/unit.ts';
import type { ServiceKey } from '../../../../src/model/kubernetes.ts';
import { serviceKey } from '../../../../src/model/kubernetes.ts';
import type { Plan } from '../../../../src/netfilter/plan.ts';

function elements(container: string, count: number): readonly ElementUnit[] {
  return Array.from({ length: count }, (_, n) => elementUnit({ container, key: `key-${n}` }));
}

function creation(units: readonly NftUnit[]): Plan<NftUnit> {
  return units.map((unit) => ({ op: 'create', unit }));
}

const services = containers.serviceIps.name;
const hairpins = containers.hairpinConnections.name;
const clusterIps = containers.clusterIps.name;
const large = [
  ...elements(clusterIps, 1),
  ...elements(services, 15_000),
  ...elements('endpoints-tcp', 24_999),
  ...elements(hairpins, 1),
];

test('a new table is loaded in parts: nothing leads to what is not there yet', () => {
  const whole = transactionOf(creation([tableUnit('IPv4'), ...large]));
  const parts = partsOf(whole);
  const counts = parts.map(({ addElements }) => {
    const byContainer = Map.groupBy(addElements, ({ container }) => container);
    return [...byContainer].map(([container, batches]) => [
      container,
      batches.flatMap((batch) => batch.elements).length,
    ]);
  });
  expect(counts).toEqual([
    [['endpoints-tcp', 20_000]],
    [
      ['endpoints-tcp', 4999],
      [hairpins, 1],
      [services, 14_500],
    ],
    [
      [services, 500],
      [clusterIps, 1],
    ],
  ]);
  expect(parts.map(({ addTable }) => addTable)).toEqual([true, false, false]);
});

test('what the cluster itself runs on is loaded first', () => {
  const of = (owner: ServiceKey): readonly ElementUnit[] =>
    [clusterIps, services, 'endpoints-tcp'].map((container) =>
      elementUnit({ container, key: owner, owner }),
    );
  const [api, dns] = [serviceKey('default', 'kubernetes'), serviceKey('kube-system', 'dns')];
  const [first] = partsOf(
    transactionOf(creation([tableUnit('IPv4'), ...large, ...of(api), ...of(dns)])),
  );
  const keysFirst = first?.addElements
    .slice(0, 3)
    .map(({ container, elements: list }) => [container, list.map(({ key }) => key)]);
  expect(keysFirst).toEqual([
    ['endpoints-tcp', [api, dns]],
    [services, [api, dns]],
    [clusterIps, [api, dns]],
  ]);
});

test.each<{ what: string; plan: Plan<NftUnit> }>([
  { what: 'a table that is there', plan: creation(large) },
  {
    what: 'a table that is replaced',
    plan: [
      { op: 'replace', was: tableUnit('IPv4', 'another'), unit: tableUnit('IPv4') },
      ...creation(large),
    ],
  },
  { what: 'few elements', plan: creation([tableUnit('IPv4'), ...elements(services, 3)]) },
  { what: 'an empty table', plan: creation([tableUnit('IPv4')]) },
])('$what is written in one transaction', ({ plan }) => {
  const whole = transactionOf(plan);
  expect(partsOf(whole)).toEqual([whole]);
});
