// Which of the transactions that the kernel tells of are ours: those of the tools that we ran ourselves.
import { LRUCache } from 'lru-cache';
import type { Exec } from '../../host/tools/exec.ts';
import type { Author } from '../../netfilter/table-changes.ts';

// Far more than can be told of late.
const mostRemembered = 64;
// How long after its end a transaction of ours may still be told of.
const lateMs = 1000;
// As much of a name as the kernel keeps.
const nameLength = 15;

type Run = { readonly process: string; left: number; endedAt: number | undefined };

export type OwnTransactionsOptions = {
  /**
   * Whether the ids that we know processes by are those that the kernel tells. Not in a container with a pid
   * namespace of its own: there the tool's name and the number of transactions have to do.
   */
  readonly isExact: boolean;
  /** Milliseconds on a clock that only goes forward. */
  readonly now: () => number;
};

/**
 * Invariant: #pids holds the last processes that wrote for us, #runs those of them whose transactions may not
 * all have been told of.
 */
export class OwnTransactions {
  readonly #options: OwnTransactionsOptions;
  readonly #pids = new LRUCache<number, true>({ max: mostRemembered });
  #runs: Run[] = [];

  constructor(options: OwnTransactionsOptions) {
    this.#options = options;
  }

  /** The same Exec, with what it runs taken for ours. */
  through(exec: Exec): Exec {
    return async (file, args, options = {}) => {
      const transactions = transactionsOf(file, args, options.input ?? '');
      if (transactions === 0) return exec(file, args, options);
      const run: Run = {
        process: file.slice(0, nameLength),
        left: transactions,
        endedAt: undefined,
      };
      this.#runs.push(run);
      const onStart = (pid: number): void => {
        this.#remember(pid);
        options.onStart?.(pid);
      };
      try {
        return await exec(file, args, { ...options, onStart });
      } catch (error) {
        // What failed changed nothing, and must not stand for what somebody else does next.
        run.left = 0;
        throw error;
      } finally {
        run.endedAt = this.#options.now();
      }
    };
  }

  /** Whether we made this transaction; to be asked once of each that there is, in order. */
  claim(author: Author | 'unknown'): boolean {
    if (author !== 'unknown' && this.#options.isExact) return this.#pids.has(author.pid);
    const since = this.#options.now() - lateMs;
    this.#runs = this.#runs.filter(({ endedAt, left }) => left > 0 && (endedAt ?? since) >= since);
    const run = this.#runs.find(
      ({ process }) => author === 'unknown' || author.process === process,
    );
    if (run !== undefined) run.left -= 1;
    return run !== undefined;
  }

  #remember(pid: number): void {
    this.#pids.set(pid, true);
    this.#runs = this.#runs.slice(-mostRemembered);
  }
}

/** How many transactions a tool makes that is run so; 0 where it only reads. */
function transactionsOf(file: string, args: readonly string[], input: string): number {
  if (file === 'nft') {
    const writes = args.some((word) => /^(-f|add|create|delete|destroy|flush|insert)$/.test(word));
    return writes && !args.includes('--check') && !args.includes('-c') ? 1 : 0;
  }
  if (!/^ip6?tables/.test(file) || args.includes('--test') || file.endsWith('-save')) return 0;
  if (file.endsWith('-restore')) return input.match(/^COMMIT$/gm)?.length ?? 0;
  return args.some((word) => /^-[ADIRFXNPE]$/.test(word)) ? 1 : 0;
}
