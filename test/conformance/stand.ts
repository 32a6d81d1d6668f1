// A lab with one Sluice in it that stays through all cases of a backend. In: how Sluice is started, then
// cases. Out: a complaint for each probe that met something else than its case expects.
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLab, type Lab } from '../../src/lab/lab.ts';
import {
  manifestDigest,
  type SluiceOptions,
  type SluiceProcess,
} from '../../src/lab/sluice-process.ts';
import type { ProxyMode } from '../../src/model/config.ts';
import { type Case, expectationOf, type Probe } from './case.ts';
import { describeTries, judge, judgeSpread, triesFor } from './judge.ts';
import { manifestText, type Standing, standingAfter } from './manifests.ts';

/** Where cases are run; close() takes the lab down. */
export type Stand = {
  readonly run: (conformanceCase: Case) => Promise<readonly string[]>;
  readonly close: () => Promise<void>;
};

const nothing: Standing = new Map();

/** Makes a lab and starts Sluice in it, with no Services yet. */
export async function makeStand(options: Omit<SluiceOptions, 'manifests'>): Promise<Stand> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-conformance-'));
  const lab = await createLab();
  const close = async (): Promise<void> => {
    await lab.close();
    await rm(folder, { recursive: true });
  };
  try {
    const manifests = join(folder, 'manifests.yaml');
    await writeFile(manifests, manifestText(nothing));
    const sluice = lab.startSluice({ ...options, manifests });
    await sluice.inStep(manifestDigest(manifestText(nothing)));
    const apply = (standing: Standing): Promise<void> =>
      applyObjects(standing, { manifests, sluice });
    return { run: (one) => runCase(one, { lab, apply, mode: options.proxyMode }), close };
  } catch (error) {
    await close();
    throw error;
  }
}

type Means = {
  readonly lab: Lab;
  readonly apply: (standing: Standing) => Promise<void>;
  readonly mode: ProxyMode;
};

async function runCase({ steps }: Case, { lab, apply, mode }: Means): Promise<readonly string[]> {
  const complaints: string[] = [];
  let standing = nothing;
  try {
    for (const [index, step] of steps.entries()) {
      standing = standingAfter(standing, step);
      await apply(standing);
      for (const probe of step.probes ?? []) {
        const complaint = await complaintOf(probe, lab, mode);
        if (complaint !== undefined) complaints.push(`step ${index + 1}: ${complaint}`);
      }
    }
  } finally {
    await apply(nothing);
  }
  return complaints;
}

async function complaintOf(probe: Probe, lab: Lab, mode: ProxyMode): Promise<string | undefined> {
  const expected = expectationOf(probe, mode);
  const { expect: _, even: mustBeEven = false, ...flight } = probe;
  const request = { ...flight, tries: triesFor(probe, expected) };
  const tries = await lab.probe(request);
  // One fair spread in a thousand fails the test by chance: twice in a row is no chance.
  const isUneven = mustBeEven && judgeSpread(tries).length > 0;
  const uneven = isUneven ? judgeSpread(await lab.probe(request)) : [];
  const differences = [...judge(expected, tries), ...uneven];
  if (differences.length === 0) return undefined;
  const where = `${flight.from} to ${flight.protocol} ${flight.to} port ${flight.port}`;
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
