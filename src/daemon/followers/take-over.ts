// What the daemon does about other Service rules on its node: they are written down before ours are
// programmed, and removed family by family once ours are in place.
import type { Logger } from 'pino';
import { traitsOf } from '../../backends/traits.ts';
import type { Exec } from '../../host/tools/exec.ts';
import type { ProxyMode } from '../../model/config.ts';
import type { Family } from '../../model/ip.ts';
import { rememberBefore, removeOthers } from '../../takeover/take-over.ts';
import type { DaemonPart } from '../daemon-part.ts';
import { whereInStep } from '../pass.ts';

/** What a takeover in passing needs. */
export type TakeOverOptions = {
  readonly exec: Exec;
  readonly mode: ProxyMode;
  readonly families: readonly Family[];
  /** The file in which the existing rules are backed up for a rollback. */
  readonly beforeFile: string;
  readonly log: Logger;
};

/** Backs up the existing rules before the first pass, and removes them once ours are in place. */
export function createTakeOver(options: TakeOverOptions): DaemonPart {
  const left = new Set(options.families);
  return {
    async prepare() {
      const found = await remember(options);
      // Then nothing but our own rules was left unread.
      if (found === undefined || traitsOf(options.mode).sharesNames) return;
      for (const family of options.families) if (!found.has(family)) left.delete(family);
    },
    ...whereInStep(async ({ family }) => {
      if (left.has(family) && (await remove(options, family))) left.delete(family);
    }),
  };
}

/** The families in which there are rules of others; undefined where that cannot be found out. */
async function remember(options: TakeOverOptions): Promise<ReadonlySet<Family> | undefined> {
  const { exec, families, beforeFile, log } = options;
  try {
    const savedAt = new Date().toISOString();
    const { file, rulesets } = await rememberBefore(exec, families, { file: beforeFile, savedAt });
    if (file !== undefined) log.info({ file }, "kube-proxy's rules stand here: taking over");
    return new Set(rulesets.map(({ family }) => family));
  } catch (err) {
    // The way back is a convenience; answering Services is the job.
    log.warn(
      { err, file: beforeFile },
      'cannot back up the existing rules; rollback will not be possible',
    );
    return undefined;
  }
}

async function remove({ exec, mode, log }: TakeOverOptions, family: Family): Promise<boolean> {
  try {
    for (const { owner } of await removeOthers(exec, mode, [family])) {
      log.info({ family, owner }, 'took over: removed the rules that stood beside ours');
    }
    return true;
  } catch (err) {
    log.warn({ err, family }, 'the rules of another proxy stay beside ours; trying again');
    return false;
  }
}
