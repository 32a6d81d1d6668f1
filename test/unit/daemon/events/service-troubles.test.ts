// What owners of Services are told: the passes are the real ones, above a kernel in memory whose tool refuses
// what it is told to refuse.
import { pino } from 'pino';
import { beforeEach, describe, expect, test } from 'vitest';
import { ClusterState } from '../../../../src/cluster/state.ts';
import { ServiceTroubles } from '../../../../src/daemon/events/service-troubles.ts';
import type { ClusterEvent } from '../../../../src/model/cluster-event.ts';
import type { ClusterChange } from '../../../../src/model/kubernetes.ts';
import type { Unit } from '../../../../src/netfilter/program.ts';
import { Reconciler } from '../../../../src/sync/reconcile.ts';
import { configFor } from '../../../support/config.ts';
import { KernelInMemory, refusing } from '../../../support/kernel-in-memory.ts';
import { decodeAll } from '../../../support/packets.ts';

let kernel: KernelInMemory;
let events: ClusterEvent[] = [];
let logged: string[] = [];
let state: ClusterState;
let pass: (...changes: readonly ClusterChange[]) => Promise<readonly string[]>;

beforeEach(() => {
  kernel = new KernelInMemory('nftables');
  events = [];
  state = new ClusterState('node-1');
  const { backend } = kernel;
  const common = { config: configFor('nftables'), state, hostIps: () => [], now: () => 0 };
  const reconciler = new Reconciler<Unit>({
    ...common,
    backend,
    families: ['IPv4'],
    dryRun: false,
  });
  const told = new ServiceTroubles({
    exists: (service) => state.service(service) !== undefined,
    record: (event) => void events.push(event),
    log: pino({ base: null, timestamp: false }, { write: (line) => void logged.push(line) }),
    isDryRun: false,
  });
  pass = async (...changes) => {
    events = [];
    logged = [];
    told.ended({ families: await reconciler.pass(state.apply(changes)) });
    return events.map(
      ({ type, reason, regarding, note }) =>
        `${type} ${reason} ${regarding.namespace}/${regarding.name}: ${note}`,
    );
  };
});

const levels: Readonly<Record<number, string>> = { 30: 'info', 40: 'warn', 50: 'error' };

/** What the last pass logged. */
function messages(): readonly string[] {
  return logged.map((line) => {
    const { level, msg } = JSON.parse(line) as { readonly level: number; readonly msg: string };
    return `${levels[level]}: ${msg}`;
  });
}

function set(id: string, clusterIP: string, extra: object = {}): ClusterChange {
  const [namespace, name] = id.split('/');
  const object = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace, creationTimestamp: `2026-01-0${id.length}T00:00:00Z` },
    spec: { clusterIP, ports: [{ name: 'http', port: 80 }], ...extra },
  };
  const [decoded] = decodeAll([object]);
  if (decoded === undefined) throw new Error('no Service');
  return { op: 'set', object: decoded };
}

function unset(id: string): ClusterChange {
  return { op: 'delete', kind: 'Service', id };
}

const shared = { externalIPs: ['203.0.113.5'] };

describe('a conflict', () => {
  test('is told of once, and when it is over', async () => {
    expect(await pass(set('ns/a', '10.96.0.1', shared))).toEqual([]);
    expect(await pass(set('ns/bb', '10.96.0.2', shared))).toEqual([
      'Warning AddressConflict ns/bb: tcp 203.0.113.5 80 is not programmed: ns/a is older and has it',
    ]);
    expect(events).toEqual([
      {
        type: 'Warning',
        reason: 'AddressConflict',
        action: 'ProgramRules',
        regarding: { kind: 'Service', namespace: 'ns', name: 'bb' },
        note: 'tcp 203.0.113.5 80 is not programmed: ns/a is older and has it',
        isSameEverywhere: true,
      },
    ]);
    expect(messages()).toEqual([
      'warn: address already claimed by another Service; not programmed',
    ]);
    expect(await pass(set('ns/bb', '10.96.0.3', shared))).toEqual([]);
    expect(messages()).toEqual([]);
    expect(await pass(set('ns/a', '10.96.0.1'))).toEqual([
      'Normal AddressConflictOver ns/bb: IPv4: it has all its addresses now',
    ]);
    expect(messages()).toEqual(['info: conflict over: the Service has all its addresses now']);
    expect(await pass(set('ns/bb', '10.96.0.2', shared))).toEqual([]);
  });

  test('over every address is told of as well, and over when the other Service goes', async () => {
    await pass(set('ns/a', '10.96.0.1'));
    expect(await pass(set('ns/bb', '10.96.0.1'))).toEqual([
      'Warning AddressConflict ns/bb: tcp 10.96.0.1 80 is not programmed: ns/a is older and has it',
    ]);
    expect(await pass(unset('ns/a'))).toEqual([
      'Normal AddressConflictOver ns/bb: IPv4: it has all its addresses now',
    ]);
  });

  test('does not name a Service of another namespace', async () => {
    await pass(set('ns/a', '10.96.0.1'));
    expect(await pass(set('other/b', '10.96.0.1'))).toEqual([
      'Warning AddressConflict other/b: tcp 10.96.0.1 80 is not programmed: a Service of another ' +
        'namespace is older and has it',
    ]);
  });

  test('over many addresses names a few', async () => {
    const ports = Array.from({ length: 20 }, (_, n) => ({ name: `p${n}`, port: 8000 + n }));
    await pass(set('ns/a', '10.96.0.1', { ports }));
    const named = [8000, 8001, 8002, 8003, 8004].map(
      (port) => `tcp 10.96.0.1 ${port} is not programmed: ns/a is older and has it`,
    );
    expect(await pass(set('ns/bb', '10.96.0.1', { ports }))).toEqual([
      `Warning AddressConflict ns/bb: ${named.join('; ')}; and 15 more`,
    ]);
  });

  test('that ends with the Service itself has nobody to be told', async () => {
    await pass(set('ns/a', '10.96.0.1', shared));
    await pass(set('ns/bb', '10.96.0.2', shared));
    expect(await pass(unset('ns/bb'))).toEqual([]);
    expect(messages()).toEqual(['info: conflict over: the Service is gone']);
  });

  test('is not over for a pass that failed', async () => {
    await pass(set('ns/a', '10.96.0.1', shared));
    kernel.fault = () => new Error('the kernel is away');
    expect(await pass(set('ns/bb', '10.96.0.2', shared))).toHaveLength(1);
    kernel.fault = undefined;
    expect(await pass(set('ns/ccc', '10.96.0.3'))).toEqual([]);
  });
});

describe('a Service whose rules are refused', () => {
  test('is told so, and when they are taken', async () => {
    await pass(set('ns/a', '10.96.0.1'));
    kernel.fault = refusing(({ text }) => text.includes('10.96.0.2'));
    expect(await pass(set('ns/bb', '10.96.0.2'), set('ns/ccc', '10.96.0.3'))).toEqual([
      'Warning Quarantine ns/bb: IPv4: it keeps its last good rules on this node: ' +
        'nft: Error: Could not process rule',
    ]);
    expect(events[0]?.isSameEverywhere).toBe(false);
    expect(messages()).toEqual([
      'error: quarantined: rules rejected; the Service keeps its last good rules until it changes',
    ]);
    expect(await pass(set('ns/a', '10.96.0.4'))).toEqual([]);
    expect(await pass(set('ns/bb', '10.96.0.2', shared))).toEqual([]);
    expect(await pass(set('ns/bb', '10.96.0.5'))).toEqual([
      'Normal QuarantineOver ns/bb: IPv4: its rules are in the kernel now',
    ]);
    expect(messages()).toEqual([
      "info: quarantine over: the Service's rules are in the kernel now",
    ]);
  });
});
