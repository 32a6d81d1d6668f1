// Follows the file that --config names: reads it again after each change, and reports the Config that
// it makes. A file with faults is refused as a whole, and said so once; what was in force stays.
import type { Logger } from 'pino';
import { PlaceWatcher } from '../cluster/places/place-watcher.ts';
import { watchPoints } from '../cluster/places/watch-points.ts';
import { UsageError } from '../errors.ts';
import type { Config } from '../model/config.ts';
import { configFrom } from './config.ts';
import type { FieldPath, FieldValues } from './fields.ts';
import { configFromText, contextOf, textOf, type CommandLine } from './load-config.ts';
import { flagOrigin } from './origin.ts';
import { takeOver } from './take-over.ts';

export type FollowOptions = {
  /** Its flag --config names the file. */
  readonly line: CommandLine;
  /** What is in force, as loadConfig gave it. */
  readonly values: FieldValues;
  readonly signal: AbortSignal;
  /** Calls back whenever somebody asks for the file to be read again. */
  readonly onHangup: (listener: () => void) => void;
  readonly log: Logger;
  /** Called with what is in force from now on, and the fields in which that differs from before. */
  readonly onConfig: (config: Config, changed: readonly FieldPath[]) => void;
};

/**
 * Follows the file until the signal aborts, and then resolves. It may be written in place, replaced by
 * rename, or reached through links that are swapped, as in a ConfigMap's volume.
 */
export async function followConfigFile(options: FollowOptions): Promise<void> {
  const { line, signal } = options;
  const file = line.values.config;
  const watcher = new PlaceWatcher(signal);
  const follower = new ConfigFollower(options);
  options.onHangup(() => {
    follower.askAgain();
    watcher.wake();
  });
  try {
    while (!signal.aborted) {
      await watcher.arm(() => watchPoints(file, [file]));
      // Also before the first change: the file may have changed since it was loaded.
      follower.read(await textOf(file).catch(faultsOf));
      await watcher.changed();
    }
  } finally {
    watcher.close();
  }
}

/** Only faults that a person can mend are reported; all others end the daemon. */
function faultsOf(error: unknown): UsageError {
  if (error instanceof UsageError) return error;
  throw error;
}

/**
 * Decides what a text of the file means for what is in force. Invariant: #values is what onConfig was last called with, and #lastMessage what was last said of the file;
 * undefined where nothing is wrong with it.
 */
export class ConfigFollower {
  readonly #options: FollowOptions;
  #values: FieldValues;
  #lastMessage: string | undefined;
  #waiting = '';
  #isAsked = false;
  #warned = new Set<string>();

  constructor(options: FollowOptions) {
    this.#options = options;
    this.#values = options.values;
  }

  /** What the next read finds is said, whether it was said before or is nothing new. */
  askAgain(): void {
    this.#isAsked = true;
  }

  /** Takes over the text of the file, or reports why not. */
  read(text: string | UsageError): void {
    const { signal, line, log, onConfig } = this.#options;
    if (signal.aborted) return;
    try {
      if (text instanceof UsageError) throw text;
      const { config, live } = this.#taken(text);
      this.#noteGood();
      if (live.length > 0) onConfig(config, live);
      else if (this.#isAsked) log.info({ file: line.values.config }, 'configuration unchanged');
    } catch (error) {
      this.#refuse(faultsOf(error));
    } finally {
      this.#isAsked = false;
    }
  }

  #taken(text: string): { readonly config: Config; readonly live: readonly FieldPath[] } {
    const { line, log } = this.#options;
    const file = line.values.config;
    const loaded = configFromText(text, line);
    const { values, live, later } = takeOver(this.#values, loaded.values ?? this.#values);
    const { config, faults } = configFrom(values, contextOf(line, flagOrigin));
    if (faults.length > 0) throw new UsageError(faults.join('\n'));
    this.#values = values;
    this.#warn(loaded.warnings);
    if (live.length > 0) log.info({ file, fields: live }, 'configuration taken over');
    const waiting = later.join(' ');
    if (later.length > 0 && waiting !== this.#waiting) {
      log.warn({ file, fields: later }, 'configuration takes effect at the next start');
    }
    this.#waiting = waiting;
    return { config, live };
  }

  #warn(warnings: readonly string[]): void {
    for (const warning of warnings) {
      if (!this.#warned.has(warning)) this.#options.log.warn({ warning }, 'configuration');
    }
    this.#warned = new Set(warnings);
  }

  #noteGood(): void {
    const { line, log } = this.#options;
    if (this.#lastMessage !== undefined)
      log.info({ file: line.values.config }, 'configuration is good again');
    this.#lastMessage = undefined;
  }

  #refuse({ message }: UsageError): void {
    if (message === this.#lastMessage && !this.#isAsked) return;
    const { line, log } = this.#options;
    this.#lastMessage = message;
    const faults = message.split('\n');
    log.error({ file: line.values.config, faults }, 'configuration refused; the old one stays');
  }
}
