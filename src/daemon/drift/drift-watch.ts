// Notices what others change in our rules, and has a pass put it right: what the kernel tells at once, and
// what a slow audit finds where it tells nothing. It only looks; passes alone write.
import type { Backend } from '../../backends/backend.ts';
import type { Clock } from '../../cluster/api/clock.ts';
import type { HearChanges, HearOptions } from '../../host/netfilter/table-changes.ts';
import type { Family } from '../../model/ip.ts';
import type { Unit } from '../../netfilter/program.ts';
import type { Author } from '../../netfilter/table-changes.ts';
import type { Reconciler } from '../../sync/reconcile.ts';
import type { DaemonPart } from '../daemon-part.ts';
import type { Pass } from '../pass.ts';
import type { Drift, DriftListener } from './drift.ts';
import { driftIn } from './drift.ts';
import { FamilyWatch } from './family-watch.ts';
import type { OwnTransactions } from './own-transactions.ts';
import type { ForeignChange } from './transaction-reader.ts';
import { TransactionReader } from './transaction-reader.ts';

export type DriftWatchOptions = {
  readonly backend: Pick<Backend, 'observe' | 'touches' | 'canariesStand'>;
  readonly reconciler: Pick<Reconciler<Unit>, 'distrust' | 'desired'>;
  readonly families: readonly Family[];
  readonly own: Pick<OwnTransactions, 'claim'>;
  readonly hear: HearChanges;
  /** Asks for a pass. */
  readonly nudge: () => void;
  readonly listener: DriftListener;
  readonly syncPeriodMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
};

// Where changes are told of, by numbers without a gap, the audit is for what must not happen: nft takes 800 MB to list
// 10,000 Services of the yardstick. An hour, as kube-proxy's full sync.
const periodsWhileListening = 120;
// An audit takes a fiftieth of the time at most.
const auditRestFactor = 50;
const firstRestartMs = 1000;
const longestRestartMs = 5 * 60_000;

/**
 * Invariant: whatever was changed since the last read of a family's rules is in that family's suspicion, or
 * is still to be told by the kernel, or is left to the audit.
 */
export class DriftWatch implements DaemonPart {
  readonly #options: DriftWatchOptions;
  readonly #watches: readonly FamilyWatch[];
  readonly #ready = Promise.withResolvers<void>();
  #isListening = false;
  /** How many times a pass began or ended: odd while one goes on, 0 before the first. */
  #moment = 0;

  constructor(options: DriftWatchOptions) {
    this.#options = options;
    this.#watches = options.families.map((family) => new FamilyWatch({ ...options, family }));
  }

  /** Resolves when changes are noticed from now on, or cannot be for now. */
  prepare(): Promise<void> {
    return this.#ready.promise;
  }

  /** Watches until the signal comes. */
  async run(): Promise<void> {
    await Promise.all([this.#listen(), this.#audit()]);
  }

  /** A pass begins: it reads the families whose rules are suspected. */
  began(): void {
    this.#moment += 1;
    for (const watch of this.#watches) {
      if (watch.begun()) this.#options.reconciler.distrust(watch.family);
    }
  }

  /** A pass ended. */
  ended({ families }: Pick<Pass, 'families'>): void {
    this.#moment += 1;
    for (const pass of families) {
      const watch = this.#watches.find(({ family }) => family === pass.family);
      watch?.passed(pass, () => driftIn(pass));
    }
  }

  #suspect({ touched, author }: ForeignChange, source: Drift['source']): void {
    // The first pass reads everything anyway.
    if (this.#moment === 0) return;
    const authors: readonly Author[] = author === undefined ? [] : [author];
    for (const watch of this.#watches) {
      const certainty = touched.get(watch.family);
      if (certainty !== undefined) watch.suspect({ certainty, authors, source });
    }
  }

  #suspectAll(source: Drift['source']): void {
    const touched = new Map(this.#watches.map(({ family }) => [family, 'maybe' as const]));
    this.#suspect({ touched, author: undefined }, source);
  }

  async #listen(): Promise<void> {
    const { backend, families, own, hear, listener, clock, signal } = this.#options;
    const touchOf = backend.touches();
    if (touchOf === undefined) {
      this.#ready.resolve();
      return;
    }
    let failures = 0;
    while (!signal.aborted) {
      const startedAt = clock.now();
      const reader = new TransactionReader({
        families,
        touchOf,
        isOurs: (author) => own.claim(author),
        onForeign: (change) => this.#suspect(change, 'kernel'),
      });
      const onListening = (): void => this.#heard(failures > 0);
      const onMessage: HearOptions['onMessage'] = (message) => reader.read(message);
      const end = await hear({ onMessage, onListening, signal }).catch((error: unknown) => error);
      const hasListened = this.#isListening;
      this.#isListening = false;
      this.#ready.resolve();
      if (signal.aborted) return;
      if (hasListened && clock.now() - startedAt > longestRestartMs) failures = 0;
      if (hasListened || failures === 0) listener.deaf(end instanceof Error ? end : undefined);
      await clock.delay(Math.min(firstRestartMs * 2 ** failures, longestRestartMs), signal);
      failures += 1;
    }
    this.#ready.resolve();
  }

  #heard(isAgain: boolean): void {
    this.#isListening = true;
    this.#ready.resolve();
    if (!isAgain) return;
    this.#options.listener.listening();
    // Of what was changed meanwhile nobody told.
    this.#suspectAll('audit');
  }

  async #audit(): Promise<void> {
    const { syncPeriodMs, clock, signal } = this.#options;
    const startedAt = clock.now();
    const dueAt = new Map<Family, number>();
    while (!signal.aborted) {
      await clock.delay(syncPeriodMs, signal);
      for (const watch of this.#watches) {
        if (signal.aborted || !this.#isQuiet(watch)) continue;
        if (!this.#isListening) await this.#askCanary(watch);
        const period = syncPeriodMs * (this.#isListening ? periodsWhileListening : 1);
        if (clock.now() < (dueAt.get(watch.family) ?? startedAt + period)) continue;
        const tookMs = await this.#look(watch);
        dueAt.set(watch.family, clock.now() + Math.max(period, tookMs * auditRestFactor));
      }
    }
  }

  #isQuiet(watch: FamilyWatch): boolean {
    return this.#moment > 0 && this.#moment % 2 === 0 && watch.isInStep && !watch.isSuspected;
  }

  async #askCanary(watch: FamilyWatch): Promise<void> {
    const { family } = watch;
    const stands = await this.#options.backend.canariesStand?.(family).catch(() => undefined);
    if (stands !== false) return;
    this.#suspect({ touched: new Map([[family, 'sure']]), author: undefined }, 'canary');
  }

  /** Reads and compares, beside the passes; returns the milliseconds that it took. */
  async #look(watch: FamilyWatch): Promise<number> {
    const { backend, reconciler, clock } = this.#options;
    const { family } = watch;
    const [moment, startedAt] = [this.#moment, clock.now()];
    if (!this.#isQuiet(watch)) return 0;
    try {
      const present = await backend.observe(family);
      const desired = reconciler.desired(family);
      // Where a pass came between, it is not known which of both this was read of.
      if (moment !== this.#moment || desired === undefined) return clock.now() - startedAt;
      if (desired.planFrom(present).length > 0) {
        this.#suspect({ touched: new Map([[family, 'sure']]), author: undefined }, 'audit');
      }
    } catch {
      // What cannot be read now can be read later; a pass that has to says so.
    }
    return clock.now() - startedAt;
  }
}
