// The other mode: a start, a change and memory, beside what iptables-restore takes for kube-proxy's rules.
import type { PartOptions } from '../figure.ts';
import { iptablesFloors } from '../floor.ts';
import { measureSingleChanges, startSluice } from '../measure.ts';
import { createStage } from '../stage.ts';
import { median } from '../statistics.ts';

/** Measures it. */
export async function iptables(options: PartOptions): Promise<void> {
  const { share, sluiceFile, say } = options;
  const [services = 0] = options.sizes([5000], [1000]);
  const cluster = { shape: { kind: 'yardstick' }, services, hasProbes: true } as const;
  const floors = await iptablesFloors(cluster, options.folder);
  const flushingMs = await floors.flushing.timeMs();
  const floorMs = await floors.asKubeProxy.timeMs();
  await using stage = await createStage({
    sluiceFile,
    cluster,
    source: 'api server',
    mode: 'iptables',
  });
  const { start: found } = await startSluice(stage, 1);
  // The floor is stopped after a minute.
  const note = `without --noflush ${Math.round(flushingMs)} ms`;
  const name = 'iptables: cold start, yardstick, api server';
  say({ name, services, unit: 'ms', value: found.ms, bound: floorMs, floorMs, note });
  const memory = { services, unit: 'MB', bound: undefined } as const;
  say({ ...memory, name: 'iptables: memory at rest, all our processes', value: found.restMb });
  say({ ...memory, name: 'iptables: memory peak, all our processes', value: found.peakMb });
  for (const [size, probe] of stage.cluster.probes.sized) {
    // The first changes after a start warm up what they pass through.
    await measureSingleChanges(stage, probe, 2);
    const { ms, lost } = await measureSingleChanges(stage, probe, Math.ceil(10 * share));
    const changed = { value: median(ms), bound: 1000, note: `${lost} lost` };
    const what = `one endpoint comes to a Service of ${size.toLocaleString('en')}`;
    say({ name: `iptables: ${what}`, services, unit: 'ms', ...changed });
  }
}
