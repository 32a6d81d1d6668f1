// `sluice cleanup`: removes what Sluice put into the kernel, in all proxy modes or in one, and nothing else.
import { setTimeout as delay } from 'node:timers/promises';
import type { Backend, Elsewhere } from '../../backends/backend.ts';
import { withBackend } from '../../backends/index.ts';
import { proxyModes } from '../../backends/traits.ts';
import { MissingToolError, ToolError, UsageError } from '../../errors.ts';
import type { Exec } from '../../host/tools/exec.ts';
import type { Config, ProxyMode } from '../../model/config.ts';
import type { Family } from '../../model/ip.ts';
import { families } from '../../model/ip.ts';
import type { Plan } from '../../netfilter/plan.ts';
import { removalOf } from '../../netfilter/plan.ts';
import type { Unit } from '../../netfilter/program.ts';
import { isKubeProxysProgram } from '../../backends/kube-proxy.ts';
import type { Io } from '../io.ts';
import { exitCodes } from '../io.ts';
import { paintFor, planJson, planText } from '../report/print-plan.ts';
import { restoring } from './restoring.ts';

export type CleanupOptions = {
  readonly config: Config;
  /** Only this mode, with rules of kube-proxy that have the same chains; undefined: all modes, and ours alone. */
  readonly named: ProxyMode | undefined;
  /** Prints what would be removed, and removes nothing. */
  readonly dryRun: boolean;
  readonly output: 'text' | 'json';
};

/** What was found of one mode in one place. */
type Cleaned = {
  readonly mode: ProxyMode;
  readonly family: Family;
  readonly plan: Plan;
  /** They are kube-proxy's, and stay. */
  readonly isTheirs: boolean;
  /** What of this host's settings was put back, in words. */
  readonly undone: string | undefined;
  /** What there is to remove now: nothing, unless somebody put it back. */
  readonly left: () => Promise<Plan>;
};

/** Removes our rules in every family; throws UsageError where a daemon would put them back. */
export async function cleanupCommand(options: CleanupOptions, exec: Exec, io: Io): Promise<number> {
  const { named, dryRun, output } = options;
  const { stdout, stderr } = io;
  const obstacle = await restoring(exec, io, named);
  if (obstacle !== undefined && !dryRun) throw new UsageError(`nothing was removed: ${obstacle}`);
  const cleaned: Cleaned[] = [];
  for (const mode of named === undefined ? proxyModes : [named]) {
    const config = { ...options.config, proxyMode: mode };
    cleaned.push(...(await withBackend(exec, config, (one) => cleanMode(one, { options, io }))));
  }
  if (dryRun) {
    if (obstacle !== undefined) stderr.write(`note: cleanup would refuse: ${obstacle}\n`);
    stderr.write(
      cleaned
        .filter(({ isTheirs }) => isTheirs)
        .map(theirsText)
        .join(''),
    );
    stdout.write(output === 'json' ? planJson(cleaned) : planText(cleaned, paintFor(stdout)));
    return exitCodes.same;
  }
  stderr.write(families.map((family) => cleanedText(family, cleaned)).join(''));
  for (const { undone } of cleaned) if (undone !== undefined) stderr.write(`${undone}\n`);
  return report(await putBack(cleaned), io);
}

type CleanRun = { readonly options: CleanupOptions; readonly io: Io };

async function cleanMode<U extends Unit>(
  backend: Backend<U>,
  { options: { named, dryRun }, io }: CleanRun,
): Promise<readonly Cleaned[]> {
  const places = await placesOf(backend).catch((error: unknown) => {
    // What a tool that is missing, or too old, has not made is not there.
    const isUnusable = error instanceof MissingToolError || error instanceof ToolError;
    if (named !== undefined || !isUnusable) throw error;
    io.stderr.write(`note: ${backend.name} mode was not looked at: ${error.message}\n`);
    return [];
  });
  const cleaned: Cleaned[] = [];
  for (const place of places) {
    const present = await place.observe();
    const isTheirs = named === undefined && isKubeProxysProgram(present);
    const steps = isTheirs ? [] : removalOf(present, await place.unused?.());
    const mayChange = !dryRun && !isTheirs;
    // Before the rules that guard it.
    const undone = mayChange ? await backend.tidy?.(place.family) : undefined;
    if (mayChange) await place.apply(steps);
    const left = async (): Promise<Plan> => (isTheirs ? [] : removalOf(await place.observe()));
    const { family } = place;
    cleaned.push({ mode: backend.name, family, plan: steps, isTheirs, undone, left });
  }
  return cleaned;
}

type Place<U extends Unit> = Elsewhere<U> & { readonly unused?: () => Promise<readonly U[]> };

/** Where rules of a mode can be. */
async function placesOf<U extends Unit>(backend: Backend<U>): Promise<readonly Place<U>[]> {
  const { mayHold } = backend;
  const held = await Promise.all(families.map(async (family) => (await mayHold?.(family)) ?? true));
  if (!held.includes(true)) return [];
  const { families: served } = await backend.probe();
  const here = served.map((family): Place<U> => ({
    family,
    unused: async () => (await backend.unused?.(family)) ?? [],
    observe: () => backend.observe(family),
    apply: (steps) => backend.apply(family, steps),
  }));
  return [...here, ...(backend.elsewhere?.() ?? [])];
}

function cleanedText(family: Family, cleaned: readonly Cleaned[]): string {
  const own = cleaned.filter((one) => one.family === family);
  const removed = own.filter(({ plan: steps }) => steps.length > 0);
  const modes = [...new Set(removed.map(({ mode }) => mode))];
  const lines = modes.map((mode) => `${family}: removed our rules of ${mode} mode\n`);
  const held = removed.flatMap(({ plan: steps }) => heldText(family, steps));
  const theirs = own.filter(({ isTheirs }) => isTheirs).map(theirsText);
  const none = lines.length === 0 ? [`${family}: nothing of ours\n`] : [];
  return [...lines, ...held, ...none, ...theirs].join('');
}

function heldText(family: Family, steps: Plan): readonly string[] {
  return steps.flatMap((step) => {
    if (step.op !== 'delete' || step.was.heldBy === undefined) return [];
    const { id, heldBy } = step.was;
    return [`${family}: ${id} is left, empty: ${heldBy.join(', ')} leads there\n`];
  });
}

function theirsText({ family, mode }: Cleaned): string {
  return `${family}: rules of kube-proxy in ${mode} mode stay; --proxy-mode ${mode} removes them\n`;
}

// A daemon that cannot be seen from here repairs its rules within 50 ms.
const repairMs = 300;

async function putBack(cleaned: readonly Cleaned[]): Promise<readonly Cleaned[]> {
  const removed = cleaned.filter(({ plan: steps }) => steps.length > 0);
  if (removed.length === 0) return [];
  await delay(repairMs);
  const again: Cleaned[] = [];
  for (const one of removed) if ((await one.left()).length > 0) again.push(one);
  return again;
}

function report(again: readonly Cleaned[], { stderr }: Io): number {
  for (const { family, mode } of again) {
    const what = `${family}: the rules of ${mode} mode are back`;
    stderr.write(`${what}: a daemon that is not seen from here puts them back; end it first\n`);
  }
  return again.length === 0 ? exitCodes.same : exitCodes.failed;
}
