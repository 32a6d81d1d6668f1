// The way back: what stood before a takeover is put back, and only then is what stands now removed, so
// that at no moment a Service address is unanswered.
import type { Exec } from '../host/tools/exec.ts';
import type { Family } from '../model/ip.ts';
import type { Before } from './before-file.ts';
import type { ServiceRuleset } from './other-rules.ts';
import { findServiceRulesets, removeServiceRuleset, restoreServiceRuleset } from './other-rules.ts';

/** What was done, in order. */
export type RollbackStep = Pick<ServiceRuleset, 'owner' | 'family'> & {
  readonly did: 'restored' | 'removed';
};

/** Carries it out; throws ToolError where a tool refuses, with what was there still in place. */
export async function rollBack(
  exec: Exec,
  { rulesets }: Before,
  families: readonly Family[],
): Promise<readonly RollbackStep[]> {
  const present = await findServiceRulesets(exec, families);
  const steps: RollbackStep[] = [];
  for (const ruleset of rulesets) {
    await restoreServiceRuleset(exec, ruleset);
    steps.push({ owner: ruleset.owner, family: ruleset.family, did: 'restored' });
  }
  for (const { owner, family } of present) {
    if (rulesets.some((before) => before.owner === owner && before.family === family)) continue;
    await removeServiceRuleset(exec, { owner, family });
    steps.push({ owner, family, did: 'removed' });
  }
  return steps;
}
