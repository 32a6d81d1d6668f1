// What the kernel counts for `sluice top`: elements of ours with counters load, are read back, and are no
// difference, in both encodings; another choice of what is counted is one transaction.
import { describe, expect, test } from 'vitest';
import { createNftablesBackend } from '../../src/backends/nftables/backend.ts';
import { serviceCounters } from '../../src/model/config.ts';
import { families } from '../../src/model/ip.ts';
import { plan } from '../../src/netfilter/plan.ts';
import { everyKind } from '../support/every-kind.ts';
import { load, machine, texts, wanted } from '../support/nftables-machine.ts';

describe.each(['text', 'json'] as const)('nft fed with %s', (input) => {
  test('whatever is counted is read back, and changing it replaces the table', async () => {
    const place = await machine(input);
    const exec = place.recorder.exec;
    for (const family of families) {
      const objects = everyKind(family);
      for (const counters of [...serviceCounters, 'services' as const]) {
        const backend = createNftablesBackend(exec, input, counters);
        const whole = wanted({ ...place, backend }, family, objects);
        await load({ backend }, family, whole);
        const read = await backend.observe(family);
        expect(plan(read, whole)).toEqual([]);
        expect(texts(read)).toEqual(texts(whole));
        // Who has no choice takes it as it is.
        const asItIs = createNftablesBackend(exec, input);
        expect(texts(await asItIs.observe(family))).toEqual(texts(whole));
        place.recorder.take();
        const counted = await backend.connections(family);
        // Where Services alone are counted, their maps alone are listed.
        const listsTable = place.recorder.take().some(({ command }) => command.includes('table'));
        expect(listsTable).toBe(counters !== 'services');
        expect(counted).toEqual(await asItIs.connections(family));
        const ofEndpoints = counted.filter(({ endpoint }) => endpoint !== undefined);
        expect([counted.length > 0, ofEndpoints.length > 0]).toEqual([
          counters !== 'off',
          counters === 'endpoints',
        ]);
      }
    }
  });
});
