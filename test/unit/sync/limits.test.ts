// A pass keeps what a Service had where a limit is passed, and takes up the rest; when it is over, it is over.
import { describe, expect, test } from 'vitest';
import { ClusterState } from '../../../src/cluster/state.ts';
import type { Gates } from '../../../src/diff/gates.ts';
import type { Ip } from '../../../src/model/ip.ts';
import type { ClusterChange, ClusterObject } from '../../../src/model/kubernetes.ts';
import type { ProxyMode } from '../../../src/model/config.ts';
import { Reconciler } from '../../../src/sync/reconcile.ts';
import { configFor } from '../../support/config.ts';
import { KernelInMemory } from '../../support/kernel-in-memory.ts';
import { modes } from '../../support/network-namespace.ts';
import { clusterObjects, type ServiceSpec } from '../../support/service-objects.ts';

const local = { type: 'LoadBalancer', externalTrafficPolicy: 'Local' };
const here = ['10.244.1.1', '10.244.1.2'];
const away = ['10.244.2.1', '10.244.2.2'];
const near: ServiceSpec = {
  name: 'near',
  ip: '10.96.0.1',
  spec: { ...local, externalIPs: ['192.0.2.10'] },
  endpoints: here,
  local: here,
};
const web: ServiceSpec = { name: 'web', ip: '10.96.0.2', endpoints: here };
const api: ServiceSpec = { name: 'api', ip: '10.96.0.3', endpoints: here };

/** A kernel that follows lists of Services within limits. */
function stand(mode: ProxyMode, limits: Partial<Gates>, kernel = new KernelInMemory(mode)) {
  const state = new ClusterState('node-1');
  const reconciler = new Reconciler({
    backend: kernel.backend,
    families: ['IPv4'],
    config: configFor(mode),
    state,
    hostIps: () => ['192.168.0.2' as Ip],
    limits: { endpointsLost: undefined, servicesLost: undefined, ...limits },
    dryRun: false,
    now: () => 0,
  });
  let known: readonly ClusterObject[] = [];
  /** What each Service gets in the kernel, and what is kept as it was. */
  const follow = async (...services: readonly ServiceSpec[]) => {
    const next = clusterObjects(services);
    const gone = known.filter(({ kind, id }) => {
      return !next.some((one) => one.kind === kind && one.id === id);
    });
    known = next;
    const changes: readonly ClusterChange[] = [
      ...gone.map(({ kind, id }) => ({ op: 'delete', kind, id }) as const),
      ...next.map((object) => ({ op: 'set', object }) as const),
    ];
    const [pass] = await reconciler.pass(state.apply(changes));
    const served = kernel.backend.served('IPv4', await kernel.backend.observe('IPv4'));
    const ends = served.map(({ service, endpoints, outside }) => {
      const last = (all: readonly string[]): string =>
        all.map((one) => one.replace(/^10\.244\.|:8080$/g, '')).join(' ');
      const more = outside === undefined ? '' : ` outside ${last(outside) || 'none'}`;
      return `${service.replace('default/', '')}: ${last(endpoints)}${more}`;
    });
    return {
      served: [...new Set(ends)].toSorted(),
      kept: [...(pass?.quarantined ?? [])].map(([, { message }]) => message),
      error: pass?.error?.message,
    };
  };
  return { follow, kernel };
}

describe.each(modes)('with %s', (mode) => {
  test('a Service that loses too many endpoints keeps them, and others go on', async () => {
    const { follow } = stand(mode, { endpointsLost: 30 });
    const start = await follow(near, web);
    expect(start).toEqual({
      served: ['near: 1.1 1.2', 'near: 1.1 1.2 outside 1.1 1.2', 'web: 1.1 1.2'],
      kept: [],
      error: undefined,
    });
    // As a whole it loses none.
    const moved = await follow(
      { ...near, endpoints: away, local: [] },
      { ...web, endpoints: away },
    );
    expect(moved).toEqual({
      served: ['near: 1.1 1.2', 'near: 1.1 1.2 outside 1.1 1.2', 'web: 2.1 2.2'],
      kept: [
        'refused: default/near would lose 2 of 2 endpoints (100%) at 192.0.2.10:80/tcp from outside, more than 30%',
      ],
      error: undefined,
    });
    // It stays so while something else changes, and no new reading of it says more.
    const other = await follow({ ...near, endpoints: away, local: [] }, web);
    expect(other.served).toEqual([...start.served.slice(0, 2), 'web: 1.1 1.2']);
    const back = await follow({ ...near, endpoints: [...here, ...away] }, web);
    expect([back.served[0], back.kept]).toEqual(['near: 1.1 1.2 2.1 2.2', []]);
  });

  test('Services that go stay while too many of them are gone, whenever they went', async () => {
    const { follow } = stand(mode, { servicesLost: { kind: 'count', value: 1 } });
    await follow(near, web, api);
    expect((await follow(near, web)).served.at(-1)).toBe('web: 1.1 1.2');
    const two = await follow();
    expect(two.served).toEqual(['near: 1.1 1.2', 'near: 1.1 1.2 outside 1.1 1.2', 'web: 1.1 1.2']);
    const refused = 'refused: 2 of 2 Services would go (100%), more than 1';
    expect(two.kept).toEqual([refused, refused]);
    // With one of them back the other may go.
    const one = await follow(web);
    expect(one).toEqual({ served: ['web: 1.1 1.2'], kept: [], error: undefined });
  });

  test('a start keeps all that is there where a limit is passed', async () => {
    const { follow, kernel } = stand(mode, {});
    await follow(web, api);
    const again = stand(mode, { endpointsLost: 30 }, kernel);
    const less = await again.follow({ ...web, endpoints: here.slice(1) }, api, near);
    expect(less).toEqual({
      served: ['api: 1.1 1.2', 'web: 1.1 1.2'],
      kept: [],
      error: 'refused: default/web would lose 1 of 2 endpoints (50%), more than 30%',
    });
    const whole = await again.follow(web, api, near);
    expect([whole.served.length, whole.error]).toEqual([4, undefined]);
  });
});
