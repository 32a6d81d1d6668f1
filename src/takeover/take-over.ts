// A node is taken over in three steps: what stands here is remembered, ours is programmed beside it or in
// its place, and only when ours is whole is the rest removed. Both answer alike in between, so that no
// Service address is ever unanswered; established connections live in conntrack, which nobody touches.
import { eachBackend } from '../backends/index.ts';
import { traitsOf } from '../backends/traits.ts';
import type { Exec } from '../host/tools/exec.ts';
import type { ProxyMode } from '../model/config.ts';
import type { Family } from '../model/ip.ts';
import { readBefore, writeBefore } from './before-file.ts';
import type { FoundRuleset, Owner, ServiceRuleset } from './other-rules.ts';
import {
  allOwners,
  findRulesets,
  findServiceRulesets,
  isKubeProxys,
  removeServiceRuleset,
} from './other-rules.ts';

/** What findReplaced found, in these families. */
export type FoundBefore = {
  readonly families: readonly Family[];
  readonly found: readonly FoundRuleset[];
};

// Owners whose rules kube-proxy cannot have made.
const ownNames = eachBackend(({ owner, sharesNames }) => (sharesNames ? [] : [owner])).flat();

/**
 * Writes down the Service rules that findReplaced found, and ours, where kube-proxy made any. An earlier takeover's
 * file is kept: what it has is what stood before us. Throws where the file cannot be written. Returns the file, or
 * undefined where nothing of kube-proxy's was there.
 */
export async function rememberBefore(
  exec: Exec,
  { families, found }: FoundBefore,
  { file, savedAt }: { readonly file: string; readonly savedAt: string },
): Promise<string | undefined> {
  if (!found.some(isKubeProxys)) return undefined;
  if ((await readBefore(file)) !== undefined) return file;
  const unread = ownNames.filter((owner) => found.every((one) => one.owner !== owner));
  const own = await findServiceRulesets(exec, families, unread);
  const rulesets = [...found, ...own].map(({ owner, family, saved }) => ({ owner, family, saved }));
  await writeBefore(file, { version: 1, savedAt, rulesets });
  return file;
}

/** Whose rules go once those of `mode` are in place. */
export function ownersBeside(mode: ProxyMode): readonly Owner[] {
  return allOwners.filter((owner) => owner !== traitsOf(mode).owner);
}

/** The Service rules that ours of `mode` take the place of: those of others, and ours of another mode. */
export async function findReplaced(
  exec: Exec,
  families: readonly Family[],
  mode: ProxyMode,
): Promise<readonly FoundRuleset[]> {
  const { owner, sharesNames } = traitsOf(mode);
  const beside = ownersBeside(mode);
  const found = await findRulesets(exec, families, sharesNames ? [...beside, owner] : beside);
  return found.filter((one) => one.owner !== owner || isKubeProxys(one));
}

/** Removes all Service rules but those of `mode`; returns whose they were. */
export async function removeOthers(
  exec: Exec,
  mode: ProxyMode,
  families: readonly Family[],
): Promise<readonly ServiceRuleset[]> {
  const others = await findServiceRulesets(exec, families, ownersBeside(mode));
  for (const other of others) {
    await removeServiceRuleset(exec, other);
  }
  return others;
}
