// What the daemon does about other Service rules on its node: they are written down before ours are
// programmed, and removed family by family once ours are in place.
import type { Logger } from 'pino';
import type { Exec } from '../../host/tools/exec.ts';
import type { ProxyMode } from '../../model/config.ts';
import type { Family } from '../../model/ip.ts';
import { findServiceRulesets, whoseRules } from '../../takeover/other-rules.ts';
import type { FoundBefore } from '../../takeover/take-over.ts';
import { ownersBeside, rememberBefore, removeOthers } from '../../takeover/take-over.ts';
import type { DaemonPart } from '../daemon-part.ts';
import type { Troubles } from '../events/troubles.ts';
import { whereInStep } from '../pass.ts';

/** What a takeover in passing needs. */
export type TakeOverOptions = {
  readonly exec: Exec;
  readonly mode: ProxyMode;
  readonly families: readonly Family[];
  /** The file in which the existing rules are backed up for a rollback. */
  readonly beforeFile: string;
  readonly log: Logger;
  readonly troubles: Pick<Troubles, 'set'>;
};

// A look at all other rules runs a few tools: it is taken once in so many calls, which come every 30 s.
const callsALook = 10;

/**
 * Backs up the existing rules before the first pass, and removes them once ours are in place. What another proxy
 * puts beside ours later is not removed, as that proxy runs: it is told.
 */
export function createTakeOver(options: TakeOverOptions): DaemonPart {
  const left = new Set(options.families);
  let hasFailed = false;
  let calls = 0;
  let looking: Promise<void> = Promise.resolve();
  return {
    async prepare(found) {
      if (found === undefined) return;
      await remember(options, found);
      for (const family of options.families) {
        if (!found.some((one) => one.family === family)) left.delete(family);
      }
    },
    ...whereInStep(async ({ family }) => {
      if (!left.has(family)) return;
      if (await remove(options, family)) left.delete(family);
      else hasFailed = true;
    }),
    goOn() {
      calls += 1;
      if (left.size === 0 && calls % callsALook === 0) looking = lookForOthers(options);
      return hasFailed && left.size > 0;
    },
    close: () => looking,
  };
}

async function remember(
  { exec, families, beforeFile, log }: TakeOverOptions,
  found: FoundBefore['found'],
): Promise<void> {
  try {
    const kept = { file: beforeFile, savedAt: new Date().toISOString() };
    const file = await rememberBefore(exec, { families, found }, kept);
    if (file !== undefined) log.info({ file }, "kube-proxy's rules stand here: taking over");
  } catch (err) {
    // The way back is a convenience; answering Services is the job.
    log.warn(
      { err, file: beforeFile },
      'cannot back up the existing rules; rollback will not be possible',
    );
  }
}

async function remove(
  { exec, mode, log, troubles }: TakeOverOptions,
  family: Family,
): Promise<boolean> {
  try {
    for (const { owner } of await removeOthers(exec, mode, [family])) {
      log.info({ family, owner }, 'took over: removed the rules that stood beside ours');
    }
    troubles.set({ kind: 'OtherProxy', family, note: '' });
    return true;
  } catch (err) {
    const message = 'the rules of another proxy stay beside ours; trying again';
    const note = `${family}: ${message}: ${(err as Error).message.split('\n', 1)[0]}`;
    troubles.set({
      kind: 'OtherProxy',
      family,
      note,
      logged: { fields: { err, family }, message },
    });
    return false;
  }
}

async function lookForOthers({ exec, mode, families, troubles }: TakeOverOptions): Promise<void> {
  try {
    const found = await findServiceRulesets(exec, families, ownersBeside(mode));
    for (const family of families) {
      const [other] = found.filter((ruleset) => ruleset.family === family);
      const note = other === undefined ? '' : `${family}: rules of ${whoseRules(other)} ${beside}`;
      troubles.set({ kind: 'OtherProxy', family, note });
    }
  } catch {
    // What cannot be read now is looked at later again.
  }
}

const beside =
  'are here too, and packets match both: stop that proxy; sluice doctor names the command that removes its rules';
