// What a Program does for clients is read back from its units: for every scenario and every kind of
// Service, in either backend's spelling, that is what was decided.
import { globSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Backend } from '../../../src/backends/backend.ts';
import type { Config } from '../../../src/model/config.ts';
import type { Frontend, Pool } from '../../../src/model/forwarding.ts';
import { frontendId, hostPort } from '../../../src/model/forwarding.ts';
import type { Ip } from '../../../src/model/ip.ts';
import { families } from '../../../src/model/ip.ts';
import type { ClusterObject } from '../../../src/model/kubernetes.ts';
import { plan } from '../../../src/netfilter/plan.ts';
import type { Unit } from '../../../src/netfilter/program.ts';
import type { Served } from '../../../src/netfilter/served.ts';
import { desiredOf } from '../../../src/sync/offline.ts';
import { iptables, nftText, readScenario } from '../../scenarios/scenario.ts';
import { configFor } from '../../support/config.ts';
import { everyKind } from '../../support/every-kind.ts';

const scenarios = join(import.meta.dirname, '../../scenarios');
const folders = globSync('*/cluster.yaml', { cwd: scenarios }).map(dirname).toSorted();

type Inputs = {
  readonly objects: readonly ClusterObject[];
  readonly config: Config;
  readonly hostIps: readonly Ip[];
};

describe.each(folders)('%s', async (folder) => {
  const { objects, hostIps, config } = await readScenario(join(scenarios, folder));
  test.each(['nftables', 'iptables'] as const)('%s', async (mode) => {
    const inputs = { objects, hostIps, config: config(mode) };
    await (mode === 'nftables'
      ? expectReadBack(nftText, inputs)
      : expectReadBack(iptables, inputs));
  });
});

describe.each(families)('every kind of Service, %s', (family) => {
  const inputs = { objects: everyKind(family), hostIps: [] };
  test('nftables', () => expectReadBack(nftText, { ...inputs, config: configFor('nftables') }));
  test('iptables', () => expectReadBack(iptables, { ...inputs, config: configFor('iptables') }));
});

describe('who is masqueraded at each address', async () => {
  const { objects, hostIps, config } = await readScenario(join(scenarios, 'external-policy-local'));
  function conditions<U extends Unit>(backend: Backend<U>): Readonly<Record<string, unknown>> {
    const from = { config: config(backend.name), families, hostIps: () => hostIps };
    const [four] = desiredOf(backend, objects, from);
    const served = backend.served('IPv4', four?.desired.whole() ?? new Map());
    return Object.fromEntries(
      served.map(({ address, masquerade }) => [frontendId(address), masquerade]),
    );
  }

  test('nftables', () => {
    expect(conditions(nftText)).toEqual({
      'tcp 10.96.0.10 80': ['ip saddr != 10.244.0.0/16'],
      'tcp 192.0.2.10 80': ['fib saddr type local'],
      'tcp node 30080': ['fib saddr type local'],
    });
  });

  test('iptables', () => {
    expect(conditions(iptables)).toEqual({
      'tcp 10.96.0.10 80': ['! -s 10.244.0.0/16'],
      'tcp 192.0.2.10 80': ['source local'],
      'tcp node 30080': ['source local'],
    });
  });
});

async function expectReadBack<U extends Unit>(
  backend: Backend<U>,
  { objects, config, hostIps }: Inputs,
): Promise<void> {
  const wanted = desiredOf(backend, objects, { config, families, hostIps: () => hostIps });
  for (const { family, desired } of wanted) {
    const program = desired.whole();
    const frontends = [...desired.decisions.forwarding()].flatMap((service) => service.frontends);
    const decided = frontends.map(decisionOf).toSorted(byId);
    const read = backend.served(family, program);
    expect(read.map(withoutSpelling).toSorted(byId)).toEqual(decided);
    if (backend.name === 'nftables') continue;
    // As somebody saved it, without what the units still know of whose they are.
    const saved = await backend.parse(family, backend.encode(family, plan(new Map(), program)));
    expect(backend.served(family, saved).toSorted(byId)).toEqual(read.toSorted(byId));
  }
}

type Decision = Omit<Served, 'family' | 'allowFrom' | 'masquerade'> & {
  readonly isRestricted: boolean;
};

function withoutSpelling(served: Served): Decision {
  const { address, service, portName, fate, endpoints, outside, affinitySeconds } = served;
  const isRestricted = served.allowFrom !== undefined;
  return { address, service, portName, fate, endpoints, outside, affinitySeconds, isRestricted };
}

function decisionOf({ address, service, portName, route, allowFrom }: Frontend): Decision {
  const isSent = route.kind === 'forward' || route.kind === 'forward-local';
  const pool = route.kind === 'forward-local' ? route.cluster : route.pool;
  return {
    address,
    service,
    portName,
    fate: isSent ? 'forward' : route.kind === 'drop' ? 'drop' : 'reject',
    endpoints: isSent ? endpointsOf(pool) : [],
    outside: route.kind === 'forward-local' ? endpointsOf(route.pool) : undefined,
    affinitySeconds: isSent ? pool.affinitySeconds : 0,
    isRestricted: isSent && allowFrom !== undefined,
  };
}

function endpointsOf({ members }: Pool): readonly string[] {
  return members.map(({ ip, port }) => hostPort(ip, port)).toSorted();
}

function byId(one: Pick<Served, 'address'>, other: Pick<Served, 'address'>): number {
  return frontendId(one.address) < frontendId(other.address) ? -1 : 1;
}
