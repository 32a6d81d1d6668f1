// The figures that the bench prints: each has a name, a bound, and how it is measured. What is measured on
// the same stage comes from one part.
import type { PartOptions } from './figure.ts';
import { iptablesFloors, nftFloor } from './floor.ts';
import { measureCpu, measureGrowth, measureSingleChanges } from './measure.ts';
import { measureStart, measureSteadyChanges, startSluice, type Start } from './measure.ts';
import { packets } from './parts/packets.ts';
import { createStage, type Source, type Stage } from './stage.ts';
import { median, percentile } from './statistics.ts';

/** The name of a part. */
export type PartName = keyof typeof parts;

/** Every part, in order. */
export const parts = { packets, start, change, burst, cpu, idle, growth, iptables } as const;

const mainSize = 10_000;
// Nobody keeps a larger cluster in files than the last of these is measured with.
const sources = ['api server', 'json', 'yaml'] as const satisfies readonly Source[];
const startRounds = 3;

// The bound: 2.5 times the floor, and some time for a process to start in.
function startBound(services: number, floorMs: number): number {
  return 2.5 * floorMs + (services > mainSize ? 2000 : 1000);
}

async function start(options: PartOptions): Promise<void> {
  const { sizes, say, sluiceFile } = options;
  for (const services of sizes) {
    const floor = await nftFloor(services, options);
    // Each start has a floor of the same minute: a machine is not always as fast.
    const floors: number[] = [];
    const time = async (): Promise<void> => void floors.push(await floor.timeMs());
    for (const source of sources.slice(0, services > mainSize ? 2 : 3)) {
      floors.length = 0;
      const found = await measureStart({ sluiceFile, services, source }, startRounds, time);
      const floorMs = median(floors);
      const bound = startBound(services, floorMs);
      const name = `cold start, ${source}`;
      say({ name, services, unit: 'ms', value: found.ms, bound, floorMs });
      if (services <= mainSize) sayMemory(options, { services, source, found });
    }
  }
}

function sayMemory(
  { say }: PartOptions,
  of: { readonly services: number; readonly source: Source; readonly found: Start },
): void {
  const { services, source, found } = of;
  const unit = 'MB';
  say({ name: `memory at rest, ${source}`, services, unit, value: found.restMb, bound: 150 });
  say({ name: `memory peak, ${source}`, services, unit, value: found.peakMb, bound: 300 });
}

async function change(options: PartOptions): Promise<void> {
  const { sizes, share, say } = options;
  const medians: number[] = [];
  for (const services of sizes) {
    await using stage = await liveStage(options, services);
    await startSluice(stage, 1);
    // The first changes after a start warm up what they pass through.
    await measureSingleChanges(stage, 5);
    const { ms, lost } = await measureSingleChanges(stage, Math.ceil(60 * share));
    const value = median(ms);
    medians.push(value);
    const note = `${lost} lost of ${ms.length + lost}, 99th percentile ${percentile(ms, 99).toFixed(0)}`;
    say({ name: 'one change to connection', services, unit: 'ms', value, bound: 25, note });
  }
  const [few = Number.NaN] = medians;
  const value = (medians.at(-1) ?? Number.NaN) / few;
  const services = sizes.at(-1) ?? 0;
  say({ name: `the same against ${sizes[0]} Services`, services, unit: 'x', value, bound: 1.3 });
}

async function burst(options: PartOptions): Promise<void> {
  const { share, say } = options;
  const services = middleSize(options);
  await using stage = await liveStage(options, services);
  await startSluice(stage, 1);
  await measureSingleChanges(stage, 5);
  const rate = { perSecond: 50, seconds: Math.ceil(30 * share) };
  const { ms, lost } = await measureSteadyChanges(stage, rate);
  const name = `50 changes a second for ${rate.seconds} s`;
  const note = `median ${median(ms).toFixed(0)}`;
  say({ name: `${name}, 99th`, services, unit: 'ms', value: percentile(ms, 99), bound: 150, note });
  say({ name: `${name}, never met`, services, unit: 'lost', value: lost, bound: 0 });
}

async function cpu(options: PartOptions): Promise<void> {
  const services = middleSize(options);
  await using stage = await liveStage(options, services);
  const { running } = await startSluice(stage, 1);
  await measureCpu(stage, running, 20);
  const changes = Math.ceil(400 * options.share);
  const { ownMs, toolsMs } = await measureCpu(stage, running, changes);
  const note = `${ownMs.toFixed(1)} of it Sluice's own`;
  const name = 'processor time for a change';
  options.say({ name, services, unit: 'ms', value: ownMs + toolsMs, bound: 25, note });
}

async function idle(options: PartOptions): Promise<void> {
  const services = 10;
  await using stage = await liveStage(options, services);
  const { start: found } = await startSluice(stage, 1);
  const name = 'memory at rest, api server';
  options.say({ name, services, unit: 'MB', value: found.restMb, bound: 80 });
}

async function growth(options: PartOptions): Promise<void> {
  const services = middleSize(options);
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

async function iptables(options: PartOptions): Promise<void> {
  const { share, sluiceFile, say } = options;
  const services = middleSize(options);
  const mode = 'iptables';
  const floors = await iptablesFloors(services, options.folder);
  const flushingMs = await floors.flushing.timeMs();
  const floorMs = await floors.asKubeProxy.timeMs();
  await using stage = await createStage({ sluiceFile, services, source: 'api server', mode });
  const { start: found } = await startSluice(stage, 1);
  const name = 'iptables: cold start, api server';
  // The floor is stopped after a minute.
  const note = `without --noflush ${Math.round(flushingMs)} ms`;
  say({ name, services, unit: 'ms', value: found.ms, bound: floorMs, floorMs, note });
  const { ms, lost } = await measureSingleChanges(stage, Math.ceil(20 * share));
  const changed = { value: median(ms), bound: 1000, note: `${lost} lost` };
  say({ name: 'iptables: one change to connection', services, unit: 'ms', ...changed });
}

function liveStage({ sluiceFile }: PartOptions, services: number): Promise<Stage> {
  return createStage({ sluiceFile, services, source: 'api server' });
}

// Those figures that are asked of one size are asked of 10,000 Services, or of what there is.
function middleSize({ sizes }: PartOptions): number {
  return sizes.includes(mainSize) ? mainSize : (sizes.at(-1) ?? mainSize);
}
