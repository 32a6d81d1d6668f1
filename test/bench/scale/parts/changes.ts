// What a change costs: one endpoint that comes to a Service, one at a time and many a second.
import type { PartOptions } from '../figure.ts';
import { countElements } from '../elements.ts';
import { measureCpu, measureGrowth, measureSingleChanges } from '../measure.ts';
import { measureSteadyChanges, startSluice } from '../measure.ts';
import type { StoredObject } from '../cluster/objects.ts';
import { wideService } from '../cluster/probes.ts';
import { createStage, type Stage } from '../stage.ts';
import { median, percentile } from '../statistics.ts';

const mainSize = 10_000;
const largeSize = 50_000;
const quickSize = 1000;
const smallSize = 300;

/** One endpoint comes to a Service of few, of many and of very many. */
export async function change(options: PartOptions): Promise<void> {
  for (const services of options.sizes([mainSize, largeSize], [quickSize])) {
    await using stage = await liveStage(options, services);
    await startSluice(stage, 1);
    for (const [size, probe] of stage.cluster.probes.sized) {
      // The first changes after a start warm up what they pass through.
      await measureSingleChanges(stage, probe, 5);
      const { ms, lost } = await measureSingleChanges(stage, probe, Math.ceil(40 * options.share));
      const name = `one endpoint comes to a Service of ${size.toLocaleString('en')}`;
      const note = `${lost} lost of ${ms.length + lost}, 99th percentile ${percentile(ms, 99).toFixed(0)}`;
      options.say({ name, services, unit: 'ms', value: median(ms), bound: 20, note });
    }
  }
  await elements(options);
}

// As many in a cluster of any size. `nft monitor` is too slow for a large one.
async function elements(options: PartOptions): Promise<void> {
  await using stage = await liveStage(options, smallSize);
  await startSluice(stage, 1);
  const value = await countElements(stage, stage.cluster.probes.plain);
  const name = 'elements in the transaction, Service of 1,000';
  options.say({ name, services: smallSize, unit: 'elements', value, bound: 6 });
}

/** How long another Service waits for one of 100 ports and 1,000 endpoints. */
export async function wide(options: PartOptions): Promise<void> {
  const services = sizeOf(options);
  await using stage = await liveStage(options, services);
  await startSluice(stage, 1);
  const { sized } = stage.cluster.probes;
  const [probe] = sized.values();
  if (probe === undefined) throw new Error('there are no probes');
  const { all, fewer } = wideService(stage.cluster.services);
  const say = async (what: string, objects: readonly StoredObject[]): Promise<void> => {
    for (const object of objects) await stage.change(object);
    const { ms, lost } = await measureSingleChanges(stage, probe, 30);
    const name = `a change while a Service of 100 x 1,000 ${what}, the longest`;
    const note = `median ${median(ms).toFixed(0)}, ${lost} lost`;
    options.say({ name, services, unit: 'ms', value: Math.max(...ms), bound: 1000, note });
  };
  await measureSingleChanges(stage, probe, 5);
  await say('comes', all);
  await say('loses an endpoint', [fewer]);
}

/** Many changes a second. */
export async function burst(options: PartOptions): Promise<void> {
  const { share, say } = options;
  const services = sizeOf(options);
  await using stage = await liveStage(options, services);
  await startSluice(stage, 1);
  const [first] = stage.cluster.probes.sized.values();
  if (first !== undefined) await measureSingleChanges(stage, first, 5);
  const rate = { perSecond: 50, seconds: Math.ceil(30 * share) };
  const { ms, lost } = await measureSteadyChanges(stage, rate);
  const name = `50 changes a second for ${rate.seconds} s`;
  const note = `median ${median(ms).toFixed(0)}`;
  say({ name: `${name}, 99th`, services, unit: 'ms', value: percentile(ms, 99), bound: 80, note });
  say({ name: `${name}, never met`, services, unit: 'lost', value: lost, bound: 0 });
}

/** Processor time for a change. */
export async function cpu(options: PartOptions): Promise<void> {
  const services = sizeOf(options);
  await using stage = await liveStage(options, services);
  const { running } = await startSluice(stage, 1);
  await measureCpu(stage, running, 20);
  const changes = Math.ceil(400 * options.share);
  const { ownMs, toolsMs } = await measureCpu(stage, running, changes);
  const note = `${ownMs.toFixed(1)} of it Sluice's own`;
  const name = 'processor time for a change';
  options.say({ name, services, unit: 'ms', value: ownMs + toolsMs, bound: 25, note });
}

/** Whether memory grows with changes. */
export async function growth(options: PartOptions): Promise<void> {
  const services = sizeOf(options);
  await using stage = await liveStage(options, services);
  const { running } = await startSluice(stage, 1);
  const changes = Math.ceil(20_000 * options.share);
  const memory = await measureGrowth(stage, running, { changes, every: changes / 40 });
  // The first tenth is the time in which it fills its caches.
  const settled = memory.slice(4);
  const half = settled.length / 2;
  const [early, late] = [median(settled.slice(0, half)), median(settled.slice(half))];
  const name = `memory growth over ${changes} changes`;
  const note = `${early.toFixed(1)} MB, then ${late.toFixed(1)} MB`;
  // One percent is what two looks at one process at rest differ by.
  options.say({ name, services, unit: 'MB', value: late - early, bound: early / 100, note });
}

function liveStage({ sluiceFile }: PartOptions, services: number): Promise<Stage> {
  const cluster = { shape: { kind: 'yardstick' }, services, hasProbes: true } as const;
  return createStage({ sluiceFile, cluster, source: 'api server' });
}

function sizeOf({ sizes }: PartOptions): number {
  return sizes([mainSize], [quickSize])[0] ?? mainSize;
}
