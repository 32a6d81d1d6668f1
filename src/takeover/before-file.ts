// What stood in the kernel before a takeover, as a file that outlives us: the way back.
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { UsageError } from '../errors.ts';
import { families } from '../model/ip.ts';
import type { ServiceRuleset } from './other-rules.ts';
import { allOwners } from './other-rules.ts';

/** The file's content. */
export type Before = {
  readonly version: 1;
  /** RFC 3339. */
  readonly savedAt: string;
  readonly rulesets: readonly ServiceRuleset[];
};

/** Writes the file whole or not at all; only root may read it. */
export async function writeBefore(path: string, before: Before): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  await writeFile(`${path}.new`, `${JSON.stringify(before, undefined, 2)}\n`, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

/** Reads the file; undefined where there is none; throws UsageError where it is something else. */
export async function readBefore(path: string): Promise<Before | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new UsageError(`${path}: ${(error as Error).message}`);
  }
  const before = parsed(text);
  if (before === undefined) throw new UsageError(`${path} is not what a takeover left`);
  return before;
}

/** Removes the file. */
export async function deleteBefore(path: string): Promise<void> {
  await rm(path, { force: true });
}

function parsed(text: string): Before | undefined {
  try {
    const { version, savedAt, rulesets } = JSON.parse(text) as Partial<Before>;
    if (version !== 1 || typeof savedAt !== 'string' || !Array.isArray(rulesets)) return undefined;
    return rulesets.every(isRuleset) ? { version, savedAt, rulesets } : undefined;
  } catch {
    return undefined;
  }
}

function isRuleset(value: unknown): value is ServiceRuleset {
  const { owner, family, saved } = (value ?? {}) as Partial<ServiceRuleset>;
  return (
    allOwners.includes(owner ?? '') &&
    families.some((known) => known === family) &&
    typeof saved === 'string'
  );
}
