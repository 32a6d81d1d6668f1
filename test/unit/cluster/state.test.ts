// What each change of an object makes stale: what says the same as before makes nothing stale.
import { describe, expect, test } from 'vitest';
import { decodeObject } from '../../../src/cluster/decode/object.ts';
import { ClusterState } from '../../../src/cluster/state.ts';
import type { ClusterChange, ClusterObject, ServiceKey } from '../../../src/model/kubernetes.ts';
import { decoded, rawService, rawSlice } from '../resolve/objects.ts';
import type { SliceSpec } from '../resolve/objects.ts';

type Json = Readonly<Record<string, unknown>>;

const set = (raw: unknown): ClusterChange => ({ op: 'set', object: decoded(raw) });
const gone = (kind: ClusterObject['kind'], id: string): ClusterChange => ({
  op: 'delete',
  kind,
  id,
});
const nothing = { services: [], settings: false };
const key = 'ns/svc' as ServiceKey;

/** A state, and a way to change it that says what became stale. */
function cluster(...first: readonly ClusterChange[]) {
  const state = new ClusterState('node-1');
  const change = (...changes: readonly ClusterChange[]) => {
    const { services, settings } = state.apply(changes.map(frozen));
    return { services: [...services].toSorted(), settings };
  };
  change(...first);
  return { state, change };
}

/** A change that nobody can write to. */
function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.freeze(value);
    for (const inner of Object.values(value)) frozen(inner);
  }
  return value;
}

const slice = (name: string, spec: Partial<SliceSpec> = {}): ClusterChange =>
  set(rawSlice(name, { ports: { 'port-0': 80, 'port-1': 443 }, endpoints: ['10.0.1.1'], ...spec }));

const stale = (...services: readonly string[]) => ({ services, settings: false });

describe('a Service', () => {
  test('that is new, changed or gone is stale', () => {
    const { state, change } = cluster();
    expect(change(set(rawService()))).toEqual(stale('ns/svc'));
    expect(change(set(rawService({ type: 'NodePort' })))).toEqual(stale('ns/svc'));
    expect(state.service(key)?.type).toBe('NodePort');
    expect(change(gone('Service', 'ns/svc'))).toEqual(stale('ns/svc'));
    expect(state.service(key)).toBeUndefined();
    expect([...state.serviceKeys]).toEqual([]);
  });

  test('that is sent again makes nothing stale', () => {
    const { change } = cluster(set(rawService()));
    expect(change(set(rawService()))).toEqual(nothing);
  });

  test('that comes and goes in one batch is stale, and gone', () => {
    const { state, change } = cluster();
    expect(change(set(rawService()), gone('Service', 'ns/svc'))).toEqual(stale('ns/svc'));
    expect([...state.serviceKeys]).toEqual([]);
  });

  test('that was never there can go without harm', () => {
    expect(cluster().change(gone('Service', 'ns/svc'))).toEqual(nothing);
  });

  test('is stale once, however often it changes in a batch', () => {
    const { change } = cluster();
    expect(
      change(set(rawService()), slice('s1'), set(rawService({ type: 'NodePort' })), slice('s2')),
    ).toEqual(stale('ns/svc'));
  });
});

describe('a slice', () => {
  test('that is new makes its Service stale, whether or not it is there', () => {
    const { state, change } = cluster();
    expect(change(slice('s1'))).toEqual(stale('ns/svc'));
    expect(state.slices(key).map(({ name }) => name)).toEqual(['s1']);
  });

  test('that is sent again makes nothing stale', () => {
    const { change } = cluster(slice('s1'));
    expect(change(slice('s1'))).toEqual(nothing);
  });

  const endpoints = ['10.0.1.1', '10.0.1.2'];
  test.each<[name: string, spec: Partial<SliceSpec>]>([
    ['has its ports in another order', { ports: { 'port-1': 443, 'port-0': 80 } }],
    ['has a port less', { ports: { 'port-0': 80 } }],
    ['has a port more', { ports: { 'port-0': 80, 'port-1': 443, 'port-2': 53 } }],
    ['has a port of another name', { ports: { 'port-0': 80, 'port-x': 443 } }],
    ['has a port of another number', { ports: { 'port-0': 8080, 'port-1': 443 } }],
    ['has its endpoints in another order', { endpoints: endpoints.toReversed() }],
    ['has an endpoint more', { endpoints: [...endpoints, '10.0.1.3'] }],
    ['has an endpoint less', { endpoints: ['10.0.1.1'] }],
    ['has no endpoint any more', { endpoints: [] }],
    ['has an endpoint that is not ready any more', { endpoints: ['10.0.1.1', '10.0.1.2 unready'] }],
    [
      'has endpoints of which none is ready any more',
      { endpoints: endpoints.map((ip) => `${ip} unready not-serving`) },
    ],
    ['has an endpoint that is ending', { endpoints: ['10.0.1.1', '10.0.1.2 unready terminating'] }],
    ['has an endpoint on another node', { endpoints: ['10.0.1.1', '10.0.1.2@node-1'] }],
    ['has an endpoint with other hints', { endpoints: ['10.0.1.1', '10.0.1.2 zone=a'] }],
  ])('that %s makes its Service stale', (_, spec) => {
    const { change } = cluster(slice('s1', { endpoints }));
    expect(change(slice('s1', { endpoints, ...spec }))).toEqual(stale('ns/svc'));
    expect(change(slice('s1', { endpoints }))).toEqual(stale('ns/svc'));
  });

  test('replaces its older version', () => {
    const { state, change } = cluster(slice('s1', { endpoints: ['10.0.1.1', '10.0.1.2'] }));
    change(slice('s1', { endpoints: ['10.0.1.3'] }));
    const ips = state.slices(key).flatMap((own) => own.endpoints.map(({ ip }) => ip));
    expect(ips).toEqual(['10.0.1.3']);
  });

  test('is only of the Service that it names, in its own namespace', () => {
    const { state } = cluster(
      slice('s1'),
      slice('s2', { service: 'other' }),
      slice('s1', { namespace: 'ns2' }),
    );
    const owned = ['ns/svc', 'ns/other', 'ns2/svc', 'ns2/other'].map((own) =>
      state.slices(own as ServiceKey).map(({ namespace, name }) => `${namespace}/${name}`),
    );
    expect(owned).toEqual([['ns/s1'], ['ns/s2'], ['ns2/s1'], []]);
  });

  test('that goes leaves the others of its Service', () => {
    const { state, change } = cluster(slice('s1'), slice('s2'));
    expect(change(gone('EndpointSlice', 'ns/s1'))).toEqual(stale('ns/svc'));
    expect(state.slices(key).map(({ name }) => name)).toEqual(['s2']);
  });

  test('that was never there can go without harm', () => {
    const { state, change } = cluster(slice('s1'));
    expect(change(gone('EndpointSlice', 'ns/s9'))).toEqual(nothing);
    expect(state.slices(key).map(({ name }) => name)).toEqual(['s1']);
  });

  test('of other addresses than IP ones never gets here', () => {
    const raw = rawSlice('s1', { addressType: 'FQDN', endpoints: ['example.com'] });
    expect(decodeObject(raw).kind).toBe('ignored');
  });

  test('that names another Service than before leaves the old one', () => {
    const { state, change } = cluster(slice('s1'));
    expect(change(slice('s1', { service: 'other' }))).toEqual(stale('ns/other', 'ns/svc'));
    expect(state.slices(key)).toEqual([]);
    expect(state.slices('ns/other' as ServiceKey).map(({ name }) => name)).toEqual(['s1']);
  });

  test.each<[name: string, changes: readonly ClusterChange[]]>([
    ['one slice', [slice('s1')]],
    ['slices of two Services', [slice('s1'), slice('s2', { service: 'other' })]],
    ['two slices of a Service', [slice('s1'), slice('s2')]],
    ['slices of two namespaces', [slice('s1'), slice('s1', { namespace: 'ns2' })]],
  ])('leaves nothing behind: %s', (_, changes) => {
    const { state, change } = cluster(...changes);
    const ids = changes.flatMap((one) => (one.op === 'set' ? [one.object.id] : []));
    expect(change(...ids.map((id) => gone('EndpointSlice', id))).settings).toBe(false);
    for (const own of ['ns/svc', 'ns/other', 'ns2/svc']) {
      expect(state.slices(own as ServiceKey)).toEqual([]);
    }
    // All of it counts as new again.
    expect(change(...changes).services).not.toEqual([]);
  });
});

describe('the settings', () => {
  const node = (metadata: Json = {}, status: Json = {}, spec: Json = {}): Json => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'node-1', ...metadata },
    spec: { podCIDRs: ['10.244.1.0/24'], ...spec },
    status: { addresses: [{ type: 'InternalIP', address: '192.168.0.2' }], ...status },
  });
  const labels = (zone: string, more: Json = {}): Json => ({
    labels: { 'topology.kubernetes.io/zone': zone, ...more },
  });
  const region = { 'topology.kubernetes.io/region': 'r' };
  const settings = { services: [], settings: true };

  test('are stale where the Node is new or gone', () => {
    const { state, change } = cluster();
    expect(change(gone('Node', 'node-1'))).toEqual(nothing);
    expect(change(set(node()))).toEqual(settings);
    expect(state.node?.ips).toEqual(['192.168.0.2']);
    expect(change(gone('Node', 'node-1'))).toEqual(settings);
    expect(state.node).toBeUndefined();
  });

  test.each<[name: string, next: Json]>([
    ['address', node({}, { addresses: [{ type: 'InternalIP', address: '192.168.0.3' }] })],
    ['zone', node(labels('a'))],
    ['range of pods', node({}, {}, { podCIDRs: ['10.244.2.0/24'] })],
  ])('are stale where the %s of the Node changed', (_, next) => {
    const { change } = cluster(set(node()));
    expect(change(set(next))).toEqual(settings);
  });

  test.each<[name: string, next: Json]>([
    ['nothing', node()],
    [
      'the time of its heartbeat',
      node(
        { resourceVersion: '7' },
        { conditions: [{ lastHeartbeatTime: '2026-01-01T00:00:00Z' }] },
      ),
    ],
    ['a label that is not read', node({ labels: { 'node.kubernetes.io/instance-type': 'x' } })],
    ['its region', node({ labels: region })],
    ['whether load balancers may use it', node({ deletionTimestamp: '2026-01-01T00:00:00Z' })],
    [
      'an address that is not used',
      node(
        {},
        {
          addresses: [
            { type: 'InternalIP', address: '192.168.0.2' },
            { type: 'ExternalIP', address: '203.0.113.9' },
          ],
        },
      ),
    ],
  ])('are not stale where the Node changed in %s', (_, next) => {
    const { change } = cluster(set(node()));
    expect(change(set(next))).toEqual(nothing);
  });

  test('hold the zone of the Node alone of all that its labels say', () => {
    const { state, change } = cluster(set(node()));
    expect(change(set(node(labels('b', region))))).toEqual(settings);
    expect(state.node?.zone).toBe('b');
    expect(change(set(node(labels('b', { 'topology.kubernetes.io/region': 's' }))))).toEqual(
      nothing,
    );
    expect(change(set(node()))).toEqual(settings);
    expect(state.node?.zone).toBe('');
  });

  test('are not stale for another Node', () => {
    const { state, change } = cluster();
    expect(change(set(node({ name: 'node-2' })), gone('Node', 'node-2'))).toEqual(nothing);
    expect(state.node).toBeUndefined();
  });

  test('follow each ServiceCIDR that comes, changes and goes', () => {
    const range = (name: string, ...cidrs: readonly string[]): ClusterChange =>
      set({
        apiVersion: 'networking.k8s.io/v1',
        kind: 'ServiceCIDR',
        metadata: { name },
        spec: { cidrs },
      });
    const { state, change } = cluster();
    const known = (): readonly string[] => state.serviceCidrs.flatMap(({ cidrs }) => cidrs);
    expect(change(range('a', '10.96.0.0/16', 'fd00:96::/112'), range('b', '10.97.0.0/16'))).toEqual(
      settings,
    );
    expect(known()).toEqual(['10.96.0.0/16', 'fd00:96::/112', '10.97.0.0/16']);
    expect(change(range('b', '10.97.0.0/16'))).toEqual(nothing);
    expect(change(range('b', '10.98.0.0/16'))).toEqual(settings);
    expect(change(gone('ServiceCIDR', 'a'))).toEqual(settings);
    expect(known()).toEqual(['10.98.0.0/16']);
    expect(change(gone('ServiceCIDR', 'a'))).toEqual(nothing);
  });

  test('and Services are not stale where there is no change', () => {
    expect(cluster(set(node()), set(rawService())).change()).toEqual(nothing);
  });
});
