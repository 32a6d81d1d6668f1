// When the kernel is read.
import { expect, test } from 'vitest';
import type { Backend } from '../../../src/backends/backend.ts';
import { createNftablesBackend } from '../../../src/backends/nftables/backend.ts';
import { ClusterState } from '../../../src/cluster/state.ts';
import type { Ip } from '../../../src/model/ip.ts';
import { Reconciler } from '../../../src/sync/reconcile.ts';
import { configFor } from '../../support/config.ts';

test('the kernel is read while a pass decides, and not at all where it is known', async () => {
  const steps: string[] = [];
  const noTools = (): Promise<never> => Promise.reject(new Error('no tool is run here'));
  const backend = createNftablesBackend(noTools, 'text');
  const reconciler = new Reconciler({
    backend: {
      ...(backend as Backend),
      observe: async () => {
        steps.push('read');
        return new Map();
      },
      apply: async () => void steps.push('apply'),
    },
    families: ['IPv4'],
    config: configFor('nftables'),
    state: new ClusterState('node-1'),
    hostIps: () => {
      if (steps.at(-1) !== 'decide') steps.push('decide');
      return ['192.168.0.2' as Ip];
    },
    dryRun: false,
    now: () => 0,
  });
  steps.length = 0;
  const pass = () => reconciler.pass({ services: new Set(), settings: true });
  await pass();
  expect(steps).toEqual(['read', 'decide', 'apply']);
  await pass();
  expect(steps.slice(3)).toEqual(['decide', 'apply']);
  reconciler.distrust();
  await pass();
  expect(steps.slice(5)).toEqual(['read', 'decide', 'apply']);
});
