// What `sluice run` does about other Service rules on its node: they are written down before ours are
// programmed, and removed family by family once ours are in place.
import type { Logger } from 'pino';
import { traitsOf } from '../../backends/traits.ts';
import type { Exec } from '../../host/tools/exec.ts';
import type { ProxyMode } from '../../model/config.ts';
import type { Family } from '../../model/ip.ts';
import type { Follower } from '../pass.ts';
import { rememberBefore, removeOthers } from '../../takeover/take-over.ts';

/** What a takeover in passing needs. */
export type RunTakeoverOptions = {
  readonly exec: Exec;
  readonly mode: ProxyMode;
  readonly families: readonly Family[];
  /** Where what stands here is kept for a rollback. */
  readonly beforeFile: string;
  readonly log: Logger;
};

/**
 * Writes down what stands here, which has to be done before the first pass; the follower that is returned
 * removes it when ours is in place.
 */
export async function prepareTakeover(options: RunTakeoverOptions): Promise<Follower> {
  const { exec, mode, families, beforeFile, log } = options;
  const done = new Set<Family>();
  try {
    const savedAt = new Date().toISOString();
    const { file, rulesets } = await rememberBefore(exec, families, { file: beforeFile, savedAt });
    // Then nothing but our own rules was left unread.
    if (!traitsOf(mode).sharesNames) {
      const taken = new Set(rulesets.map(({ family }) => family));
      for (const family of families) if (!taken.has(family)) done.add(family);
    }
    if (file !== undefined) log.info({ file }, "kube-proxy's rules stand here: taking over");
  } catch (err) {
    // The way back is a convenience; answering Services is the job.
    log.warn({ err, file: beforeFile }, 'what stands here cannot be kept for a rollback');
  }
  return async ({ family }) => {
    if (done.has(family)) return;
    try {
      for (const { owner } of await removeOthers(exec, mode, [family])) {
        log.info({ family, owner }, 'took over: removed the rules that stood beside ours');
      }
      done.add(family);
    } catch (err) {
      log.warn({ err, family }, 'the rules of another proxy stay beside ours; trying again');
    }
  };
}
