// The measurements, each on a stage. In: a stage, and how often. Out: numbers, judged by nobody yet.
import { setTimeout as delay } from 'node:timers/promises';
import { execOnHost } from '../../../src/host/tools/exec.ts';
import { lastAnswered } from './cluster/cluster.ts';
import { comingEndpoint, type Probe } from './cluster/probes.ts';
import { sharedNowMs } from './line-process.ts';
import { createStage, type Running, type Stage, type StageOptions } from './stage.ts';
import { median } from './statistics.ts';

/** What a start took. */
export type Start = {
  /** From exec to the last Service answered. */
  readonly ms: number;
  /** Resident memory of all our processes: the most until then, and when nothing happens any more. */
  readonly peakMb: number;
  readonly restMb: number;
  /** The same of Sluice's own process alone. */
  readonly ownPeakMb: number;
  readonly ownRestMb: number;
};

/** What changes came to. */
export type Changes = {
  /** From the change in the API server to the first connection that meets it, each. */
  readonly ms: readonly number[];
  /** Those that were never met. */
  readonly lost: number;
};

const restMs = 8000;
const startTimeoutMs = 900_000;

/** Starts Sluice in a node without rules, so many times, and lets the last one run. */
export async function startSluice(
  stage: Stage,
  rounds: number,
  beforeEach: () => Promise<void> = () => Promise.resolve(),
): Promise<{ readonly running: Running; readonly start: Start }> {
  const times: number[] = [];
  const peaks: { readonly own: number; readonly all: number }[] = [];
  for (;;) {
    await beforeEach();
    const running = stage.sluice();
    const wait = { everyMs: 5, timeoutMs: startTimeoutMs };
    const at = await stage.until({ ...lastAnswered(stage.cluster), isAnswered: true, ...wait });
    if (at === undefined) throw new Error('no Service is ever answered');
    times.push(at - running.at);
    if (times.length < rounds) {
      peaks.push({ own: (await running.usage()).peakMb, all: running.allPeakMb() });
      await running.stop();
      await removeRules(stage);
      continue;
    }
    await delay(restMs);
    const { residentMb, peakMb } = await running.usage();
    peaks.push({ own: peakMb, all: running.allPeakMb() });
    const found: Start = {
      ms: median(times),
      peakMb: Math.max(...peaks.map(({ all }) => all)),
      restMb: await running.allMb(),
      ownPeakMb: Math.max(...peaks.map(({ own }) => own)),
      ownRestMb: residentMb,
    };
    return { running, start: found };
  }
}

/** The same where nothing is measured after it. */
export async function measureStart(
  options: StageOptions,
  rounds: number,
  beforeEach?: () => Promise<void>,
): Promise<Start> {
  await using stage = await createStage(options);
  return (await startSluice(stage, rounds, beforeEach)).start;
}

async function removeRules({ node }: Stage): Promise<void> {
  for (const family of ['ip', 'ip6']) {
    await execOnHost('ip', ['netns', 'exec', node, 'nft', 'delete', 'table', family, 'sluice']);
  }
}

/** One change at a time, when all is at rest: an endpoint comes to a Service, and goes again. */
export async function measureSingleChanges(
  stage: Stage,
  probe: Probe,
  rounds: number,
): Promise<Changes> {
  const times: (number | undefined)[] = [];
  for (let n = 0; n < rounds; n += 1) {
    for (const isAnswered of [true, false]) {
      const start = await stage.change(comingEndpoint(probe, isAnswered ? n : undefined));
      const at = await stage.until({ ...addressOf(probe), isAnswered });
      if (isAnswered) times.push(at && at - start);
      await delay(50);
    }
  }
  return changesOf(times);
}

/** Changes of one Service after the other at a steady rate, each awaited by a client. */
export async function measureSteadyChanges(
  stage: Stage,
  { perSecond, seconds }: { readonly perSecond: number; readonly seconds: number },
): Promise<Changes> {
  const probes = stage.cluster.probes.common;
  const one = async (n: number): Promise<number | undefined> => {
    const probe = probes[n % probes.length];
    const round = Math.floor(n / probes.length);
    if (probe === undefined) throw new Error('there are no probes');
    const isAnswered = round % 2 === 0;
    const start = await stage.change(comingEndpoint(probe, isAnswered ? round : undefined));
    const at = await stage.until({ ...addressOf(probe), isAnswered });
    return at && at - start;
  };
  return changesOf(await Promise.all(await steadily(perSecond, perSecond * seconds, one)));
}

/** Milliseconds of processor time for a change, Sluice's own and that of the tools that it runs. */
export async function measureCpu(
  stage: Stage,
  running: Running,
  changes: number,
): Promise<{ readonly ownMs: number; readonly toolsMs: number }> {
  const before = await running.usage();
  await Promise.all(await steadily(20, changes, changer(stage)));
  await delay(1000);
  const after = await running.usage();
  return {
    ownMs: (after.cpuMs - before.cpuMs) / changes,
    toolsMs: (after.childrenCpuMs - before.childrenCpuMs) / changes,
  };
}

/** Resident memory after every so many changes, at constant size. */
export async function measureGrowth(
  stage: Stage,
  running: Running,
  { changes, every }: { readonly changes: number; readonly every: number },
): Promise<readonly number[]> {
  const memory: number[] = [];
  const change = changer(stage);
  await Promise.all(
    await steadily(200, changes, async (n) => {
      await change(n);
      if ((n + 1) % every === 0) memory.push((await running.usage()).residentMb);
    }),
  );
  return memory;
}

// Each probe has one endpoint after its first change, and another one after each later one.
function changer(stage: Stage): (n: number) => Promise<void> {
  const probes = stage.cluster.probes.common;
  return async (n) => {
    const probe = probes[n % probes.length];
    if (probe === undefined) throw new Error('there are no probes');
    await stage.change(comingEndpoint(probe, Math.floor(n / probes.length)));
  };
}

function addressOf({ ip, port }: Probe): Pick<Probe, 'ip' | 'port'> {
  return { ip, port };
}

/** Begins something at a steady rate; answers with what has begun, when all of it has. */
async function steadily<T>(
  perSecond: number,
  count: number,
  begin: (n: number) => Promise<T>,
): Promise<readonly Promise<T>[]> {
  const begun: Promise<T>[] = [];
  const start = sharedNowMs();
  for (let n = 0; n < count; n += 1) {
    const early = start + (n * 1000) / perSecond - sharedNowMs();
    if (early > 0) await delay(early);
    begun.push(begin(n));
  }
  return begun;
}

function changesOf(times: readonly (number | undefined)[]): Changes {
  const ms = times.filter((time) => time !== undefined);
  return { ms, lost: times.length - ms.length };
}
