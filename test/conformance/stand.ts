// A Sluice in a lab that stays through all cases of a backend. In: how Sluice is started, then cases.
// Out: a complaint for each probe that met something else than its case expects.
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLab, type Lab } from '../../src/lab/lab.ts';
import {
  manifestDigest,
  type SluiceOptions,
  type SluiceProcess,
} from '../../src/lab/sluice-process.ts';
import type { Overlay } from '../../src/lab/topology.ts';
import type { ProxyMode } from '../../src/model/config.ts';
import { type Case, expectationOf, expectationOver, type Probe } from './case.ts';
import { unexplained } from './explained.ts';
import { describeTries, judge, judgeSpread, triesFor } from './judge.ts';
import { manifestText, type Standing, standingAfter } from './manifests.ts';

/** Where cases are run; close() takes down what was made for it. */
export type Stand = {
  readonly run: (conformanceCase: Case) => Promise<readonly string[]>;
  /** What Sluice logged when it started, line by line. */
  readonly log: readonly string[];
  readonly close: () => Promise<void>;
};

/** How Sluice is started on a stand. */
export type StandOptions = Omit<SluiceOptions, 'manifests'>;

const nothing: Standing = new Map();

/** A program and its arguments. */
export type Command = readonly [file: string, ...args: string[]];

/** Makes a lab, runs `before` on its first node and starts Sluice there, with no Services yet. */
export async function makeStand(
  options: StandOptions,
  before: readonly Command[] = [],
): Promise<Stand> {
  const lab = await createLab();
  try {
    for (const command of before) await lab.exec('n1', command);
    const { run, log, close } = await standIn({ lab, overlay: 'host-gw' }, options);
    const closeAll = async (): Promise<void> => {
      await close();
      await lab.close();
    };
    return { run, log, close: closeAll };
  } catch (error) {
    await lab.close();
    throw error;
  }
}

/** Starts Sluice in a lab that stays when the stand is closed, as do the rules. */
export async function standIn(
  { lab, overlay }: { readonly lab: Lab; readonly overlay: Overlay },
  options: StandOptions,
): Promise<Stand> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-conformance-'));
  const manifests = join(folder, 'manifests.yaml');
  await writeFile(manifests, manifestText(nothing));
  const sluice = lab.startSluice({ ...options, manifests });
  const close = async (): Promise<void> => {
    await sluice.stop();
    await rm(folder, { recursive: true });
  };
  try {
    await sluice.inStep(manifestDigest(manifestText(nothing)));
  } catch (error) {
    await close();
    throw error;
  }
  const apply = (standing: Standing): Promise<void> =>
    applyObjects(standing, { manifests, sluice });
  const means: Means = { lab, overlay, mode: options.proxyMode, sluice, apply };
  return { run: (one) => runCase(one, means), log: [...sluice.log], close };
}

type Means = {
  readonly lab: Lab;
  readonly overlay: Overlay;
  readonly apply: (standing: Standing) => Promise<void>;
  readonly mode: ProxyMode;
  readonly sluice: SluiceProcess;
};

type StandingMeans = Means & { readonly standing: Standing };

async function runCase({ steps }: Case, means: Means): Promise<readonly string[]> {
  const complaints: string[] = [];
  let standing = nothing;
  try {
    for (const [index, step] of steps.entries()) {
      standing = standingAfter(standing, step);
      await means.apply(standing);
      for (const probe of step.probes ?? []) {
        const complaint = await complaintOf(probe, { ...means, standing });
        if (complaint !== undefined) complaints.push(`step ${index + 1}: ${complaint}`);
      }
    }
  } finally {
    await means.apply(nothing);
  }
  return complaints;
}

async function complaintOf(probe: Probe, means: StandingMeans): Promise<string | undefined> {
  const { sluice } = means;
  for (;;) {
    const start = sluice.log.length;
    const differences = await differencesOf(probe, means);
    if (differences === undefined || probe.sourcePort === undefined) return differences;
    // Flows that were there before the step are let go of just after the rules are in step: whoever
    // still met one is asked again when they are gone. This rejects where that is never said.
    await sluice.logged('removed stale conntrack flows', start);
  }
}

async function differencesOf(
  probe: Probe,
  { lab, overlay, mode, standing }: StandingMeans,
): Promise<string | undefined> {
  const expected = expectationOver(overlay, expectationOf(probe, mode));
  const { expect: _, even: mustBeEven = false, ...flight } = probe;
  const request = { ...flight, tries: triesFor(probe, expected) };
  const tries = await lab.probe(request);
  // One fair spread in a thousand fails the test by chance: twice in a row is no chance.
  const isUneven = mustBeEven && judgeSpread(tries).length > 0;
  const uneven = isUneven ? judgeSpread(await lab.probe(request)) : [];
  const differences = [...judge(expected, tries), ...uneven];
  const where = `${flight.from} to ${flight.protocol} ${flight.to} port ${flight.port}`;
  if (differences.length === 0) {
    const missed = unexplained({ standing, mode, probe }, tries);
    return missed === undefined ? undefined : `${where}: ${missed}`;
  }
  return `${where} expected ${differences.join(', ')}; met ${describeTries(tries)}`;
}

async function applyObjects(
  standing: Standing,
  { manifests, sluice }: { readonly manifests: string; readonly sluice: SluiceProcess },
): Promise<void> {
  const text = manifestText(standing);
  // By rename, so that no half-written file is ever read.
  await writeFile(`${manifests}.new`, text);
  await rename(`${manifests}.new`, manifests);
  await sluice.inStep(manifestDigest(text));
}
