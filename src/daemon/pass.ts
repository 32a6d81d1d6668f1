// One pass of the daemon, as a value that grows: what asked for it and what it takes up, then what that made
// stale and what it came to in each family. Whoever wants to know of passes is a listener, and finds all that
// it needs in the value.
import type { ClusterState, Stale } from '../cluster/state.ts';
import type { ClusterChange } from '../model/kubernetes.ts';
import type { Asker } from '../model/pass-record.ts';
import type { Unit } from '../netfilter/program.ts';
import type { FamilyPass, Reconciler } from '../sync/reconcile.ts';
import { objectsBefore, type ObjectBefore } from './objects-before.ts';

/** What a pass is asked to do. */
export type Work = {
  /** Who asked for it. */
  readonly asked: readonly Asker[];
  /** What it takes up, in order. */
  readonly changes: readonly ClusterChange[];
  /** What the source calls the version that the changes lead to. */
  readonly version: string;
};

/** A pass that begins. */
export type BegunPass = Work & {
  /** The objects that the changes are about as they were, each once. */
  readonly before: readonly ObjectBefore[];
};

/** A pass that ended. */
export type Pass = BegunPass & {
  /** What had to be decided again. */
  readonly stale: Stale;
  readonly families: readonly FamilyPass<Unit>[];
};

/** Hears of passes. It may rely on nothing that another listener does. */
export interface PassListener {
  /** Changes came, and wait for a pass. */
  queued?(changes: readonly ClusterChange[]): void;
  /** A pass begins: the kernel was not read for it yet. */
  began?(pass: BegunPass): void;
  /** It ended; the next one waits until all have heard of it. */
  ended?(pass: Pass): Promise<void> | void;
}

/** What a pass works on. */
export type PassOptions = {
  readonly nodeName: string;
  readonly state: ClusterState;
  readonly reconciler: Reconciler<Unit>;
  readonly listeners: readonly PassListener[];
};

/** Runs a pass. What fails in a family is in the value; what fails in a listener is thrown. */
export async function runPass(options: PassOptions, work: Work): Promise<Pass> {
  const { nodeName, state, reconciler, listeners } = options;
  const begun = { ...work, before: objectsBefore(work.changes, state, nodeName) };
  for (const listener of listeners) listener.began?.(begun);
  const stale = state.apply(work.changes);
  const pass = { ...begun, stale, families: await reconciler.pass(stale) };
  for (const listener of listeners) await listener.ended?.(pass);
  return pass;
}

/** Whether the kernel holds what the changes lead to, in every family. */
export function isInStep({ families }: Pass): boolean {
  return families.every(({ error }) => error === undefined);
}

/** Does something for each family that is in step after a pass, one after the other. */
export function whereInStep(
  follow: (pass: FamilyPass<Unit>) => Promise<void> | void,
): Required<Pick<PassListener, 'ended'>> {
  return {
    async ended({ families }) {
      for (const pass of families) if (pass.error === undefined) await follow(pass);
    },
  };
}
