// What the log says of passes.
import type { Logger } from 'pino';
import type { Stale } from '../cluster/state.ts';
import { LimitError } from '../errors.ts';
import type { Family } from '../model/ip.ts';
import type { ServiceKey } from '../model/kubernetes.ts';
import { ownersIn, countSteps } from '../netfilter/plan.ts';
import type { Unit } from '../netfilter/program.ts';
import type { FamilyPass } from '../sync/reconcile.ts';
import type { Core } from './core.ts';
import type { PassListener } from './pass.ts';

// A log line names a few Services and counts the rest.
const maxNamedServices = 10;

/** What is said of what is done, and of what a dry run only would do. */
const words = {
  done: {
    applied: 'applied',
    inStep: 'in step',
    failed: 'the kernel keeps the last good rules; trying again',
    limited: 'a limit is passed: the kernel keeps the last good rules until it is not',
    stopping: 'stopping; the rules stay',
  },
  dry: {
    applied: 'would be applied',
    inStep: 'would be in step',
    failed: "cannot read the kernel's rules, so what would change is not known; trying again",
    limited: 'a limit would be passed: the kernel would keep the last good rules',
    stopping: 'stopping; nothing was changed',
  },
} as const;

type Words = (typeof words)['done' | 'dry'];

type Saying = { readonly said: Words; readonly isRepeated: boolean };

/** The words of the log. */
export function logWords({ dryRun }: { readonly dryRun: unknown }): Words {
  return words[dryRun === undefined ? 'done' : 'dry'];
}

/** Logs what each pass came to; why it failed once. */
export function logPasses({ log, dryRun }: Pick<Core, 'log' | 'dryRun'>): PassListener {
  const said = logWords({ dryRun });
  // What the last pass of a family failed with, which is not said again as long as it stays the same.
  const failures = new Map<Family, string>();
  return {
    ended({ families }) {
      for (const pass of families) {
        const { family, error } = pass;
        const isRepeated = error !== undefined && failures.get(family) === error.message;
        logFamily(log, pass, { said, isRepeated });
        if (error === undefined) failures.delete(family);
        else failures.set(family, error.message);
      }
    },
  };
}

/** What a pass decided again, for a log line. */
export function staleNames({ services, settings }: Stale): object {
  return { ...firstOf(services), ...(settings ? { settings } : {}) };
}

function logFamily(log: Logger, pass: FamilyPass<Unit>, { said, isRepeated }: Saying): void {
  const { family, plan, error, durationMs, phaseMs } = pass;
  const ms = rounded(durationMs);
  if (error !== undefined) {
    const what = error instanceof LimitError ? said.limited : said.failed;
    log[isRepeated ? 'debug' : 'error']({ err: error, family, ms }, what);
  } else if (plan.length > 0) {
    const { create: created, replace: replaced, delete: deleted } = countSteps(plan);
    const counts = { ...firstOf(ownersIn(plan)), created, replaced, deleted };
    const took = { ms, planMs: rounded(phaseMs.plan), applyMs: rounded(phaseMs.apply) };
    log.info({ family, ...counts, ...took }, said.applied);
  }
}

function rounded(ms: number): number {
  return Math.round(ms * 10) / 10;
}

function firstOf(services: ReadonlySet<ServiceKey>): object {
  const names = [...services].slice(0, maxNamedServices);
  const more = services.size - names.length;
  return { services: names, ...(more > 0 ? { more } : {}) };
}
