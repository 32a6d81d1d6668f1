// When the kernel is read.
import { expect, test } from 'vitest';
import { ClusterState } from '../../../src/cluster/state.ts';
import type { Ip } from '../../../src/model/ip.ts';
import { Reconciler } from '../../../src/sync/reconcile.ts';
import { configFor } from '../../support/config.ts';
import { KernelInMemory } from '../../support/kernel-in-memory.ts';

test('the kernel is read while a pass decides, and not at all where it is known', async () => {
  const { backend, calls } = new KernelInMemory('nftables');
  let ips = ['192.168.0.2'] as Ip[];
  const reconciler = new Reconciler({
    backend,
    families: ['IPv4'],
    config: configFor('nftables', ['--nodeport-addresses', '192.168.0.0/16']),
    state: new ClusterState('node-1'),
    hostIps: () => {
      if (calls.at(-1) !== 'decide') calls.push('decide');
      return ips;
    },
    dryRun: false,
    now: () => 0,
  });
  const pass = async (): Promise<readonly string[]> => {
    calls.length = 0;
    await reconciler.pass({ services: new Set(), settings: true });
    return [...calls];
  };
  expect(await pass()).toEqual(['observe IPv4', 'decide', 'apply IPv4']);
  expect(await pass()).toEqual(['decide']);
  ips = ['192.168.0.3'] as Ip[];
  expect(await pass()).toEqual(['decide', 'apply IPv4']);
  reconciler.distrust();
  expect(await pass()).toEqual(['observe IPv4', 'decide']);
});
