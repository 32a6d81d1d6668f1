// A ruleset that somebody saved (`nft -j list ruleset`, `iptables-save`) as the Programs in it.
import { readFile } from 'node:fs/promises';
import type { Backend } from '../../backends/backend.ts';
import { UsageError } from '../../errors.ts';
import type { Family } from '../../model/ip.ts';
import { families } from '../../model/ip.ts';
import type { Program, Unit } from '../../netfilter/program.ts';

/** Reads the file; holds the families of which it has anything of ours, or all if it has nothing. */
export async function readSaved<U extends Unit>(
  backend: Backend<U>,
  path: string,
): Promise<ReadonlyMap<Family, Program<U>>> {
  const text = await readFile(path, 'utf8').catch((error: Error) => {
    throw new UsageError(`--against: ${error.message}`, { cause: error });
  });
  const programs: (readonly [Family, Program<U>])[] = [];
  for (const family of families) {
    try {
      programs.push([family, await backend.parse(family, text)]);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const message = `--against ${path}: no ruleset that ${backend.name} mode can read: ${reason}`;
      throw new UsageError(message, { cause: error });
    }
  }
  const present = programs.filter(([, program]) => program.size > 0);
  return new Map(present.length === 0 ? programs : present);
}
