// How much nftables mode has for Services of many sizes and kinds, and what of it one change touches.
import { expect, test } from 'vitest';
import { createNftablesBackend } from '../../../../src/backends/nftables/backend.ts';
import { capacityOf } from '../../../../src/backends/nftables/compile/slots.ts';
import type { NftUnit } from '../../../../src/backends/nftables/unit.ts';
import { ClusterState } from '../../../../src/cluster/state.ts';
import type { Plan } from '../../../../src/netfilter/plan.ts';
import { countSteps, plan, unitOf } from '../../../../src/netfilter/plan.ts';
import { Desired } from '../../../../src/sync/desired.ts';
import { configFor } from '../../../support/config.ts';
import { clusterObjects, type ServiceSpec } from '../../../support/service-objects.ts';

const config = configFor('nftables');

/** What one node should have, and the plans of changes to it. */
class Stand {
  readonly #state = new ClusterState(config.nodeName);
  readonly #desired = new Desired(
    createNftablesBackend((file) => Promise.reject(new Error(`${file} is not run here`)), 'text'),
    'IPv4',
    { config, state: this.#state, hostIps: () => [] },
  );

  change(services: readonly ServiceSpec[]): Plan<NftUnit> {
    const objects = clusterObjects(services);
    const stale = this.#state.apply(objects.map((object) => ({ op: 'set', object })));
    const { change } = this.#desired.update(stale.services);
    return plan(change.before, change.after);
  }

  /** How many units of each kind there are, and rules in all chains. */
  counts(): Readonly<Record<'chain' | 'rule' | 'set' | 'map' | 'element', number>> {
    const units = [...this.#desired.units()];
    const number = (kind: NftUnit['kind']): number =>
      units.filter((unit) => unit.kind === kind).length;
    const rule = units.reduce(
      (sum, unit) => sum + (unit.kind === 'chain' ? unit.rules.length : 0),
      0,
    );
    return {
      chain: number('chain'),
      rule,
      set: number('set'),
      map: number('map'),
      element: number('element'),
    };
  }
}

function pod(number: number): string {
  return `10.${244 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`;
}

// Sizes of a power law, as clusters have them: most Services are small, some have hundreds of endpoints.
const sizes = Array.from({ length: 41 }, (_, index) => Math.ceil(500 / (index + 1) ** 1.3));
const kinds = [
  {},
  { type: 'NodePort' },
  { type: 'NodePort', externalTrafficPolicy: 'Local' },
  { externalIPs: true },
] as const;
const protocols = ['TCP', 'TCP', 'UDP'] as const;
// So many have each size in each kind and protocol once.
const allShapes = sizes.length * kinds.length * protocols.length;

/** The Service of this number, of one to five ports. */
function mixed(number: number): ServiceSpec {
  const { externalIPs, ...kind } = { externalIPs: false, ...kinds[number % kinds.length] };
  const place = `${number >> 8}.${number & 255}`;
  const size = sizes[number % sizes.length];
  const endpoints = Array.from({ length: size ?? 0 }, (_, index) => pod(index));
  const protocol = protocols[number % protocols.length] ?? 'TCP';
  const ports = Array.from({ length: (number % 5) + 1 }, (_, index) => ({
    name: `port-${index}`,
    port: 80 + index,
    protocol,
    ...('type' in kind ? { nodePort: 30_000 + Math.floor(number / 4) * 5 + index } : {}),
  }));
  const external = externalIPs ? { externalIPs: [`203.0.${place}`] } : {};
  return {
    name: `service-${number}`,
    ip: `10.96.${place}`,
    protocol,
    ports: ports.length,
    endpoints,
    local: endpoints.slice(0, 2),
    spec: { ...kind, ...external, ports },
  };
}

test('twice the Services of many sizes and kinds are as many chains, rules, sets and maps', () => {
  const stand = new Stand();
  stand.change(Array.from({ length: allShapes }, (_, number) => mixed(number)));
  const { element, ...constant } = stand.counts();
  expect(constant).toEqual({ chain: 163, rule: 710, set: 4, map: 23 });
  stand.change(Array.from({ length: allShapes }, (_, number) => mixed(allShapes + number)));
  const { element: more, ...same } = stand.counts();
  expect(same).toEqual(constant);
  expect(more / element).toBeCloseTo(2, 0);
});

// What is replaced in a map is deleted and added.
function elementsIn(steps: Plan<NftUnit>): number {
  const { create, replace, delete: gone } = countSteps(steps);
  return create + gone + 2 * replace;
}

test.each([1, 2, 3, 4, 5, 7, 8, 12, 13, 48, 49, 96, 97, 500, 1000, 1024, 1025])(
  'an endpoint more and one less of %i are as few elements as of any other',
  (size) => {
    const stand = new Stand();
    const endpoints = Array.from({ length: size + 1 }, (_, index) => pod(index));
    const others = [0, 1].map((more) => ({
      name: `other-${more}`,
      ip: `10.97.0.${more}`,
      endpoints: endpoints.slice(0, size + more),
    }));
    const service = { name: 'service', ip: '10.96.0.10' };
    stand.change([...others, { ...service, endpoints: endpoints.slice(1) }]);
    // Another number of slots is another verdict.
    const verdict = capacityOf(size) === capacityOf(size + 1) ? 0 : 2;
    expect(elementsIn(stand.change([{ ...service, endpoints }]))).toBe(1 + verdict);
    // The endpoint in the last slot takes the place of the one that goes.
    const goes = stand.change([{ ...service, endpoints: endpoints.slice(1) }]);
    expect(elementsIn(goes)).toBe(1 + verdict);
    const first = stand.change([{ ...service, endpoints: endpoints.slice(0, -1) }]);
    expect(elementsIn(first)).toBe(2);
    stand.change([{ ...service, endpoints }]);
    const middle = stand.change([{ ...service, endpoints: endpoints.slice(1) }]);
    expect(elementsIn(middle)).toBe(3 + verdict);
  },
);

test('an endpoint of a Service of 100 ports and 1,000 endpoints touches each port once', () => {
  const stand = new Stand();
  const endpoints = Array.from({ length: 1000 }, (_, index) => pod(index));
  const wide = { name: 'wide', ip: '10.96.0.10', ports: 100 };
  stand.change([{ ...wide, endpoints }]);
  const goes = stand.change([{ ...wide, endpoints: endpoints.slice(1) }]);
  const operations = Map.groupBy(goes, ({ op }) => op);
  const containers = new Set(goes.map((step) => unitOf(step).id.split(' ')[0]));
  expect([...containers]).toEqual(['endpoints-tcp']);
  expect([...operations].map(([op, steps]) => [op, steps.length])).toEqual([
    ['replace', 100],
    ['delete', 100],
  ]);
  expect(stand.change([{ ...wide, endpoints }]).map(({ op }) => op)).toEqual(
    Array.from({ length: 100 }, () => 'create'),
  );
});
