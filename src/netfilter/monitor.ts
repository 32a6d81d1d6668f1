// What `nft monitor` prints: lines of objects, and behind those of one transaction a line that says who made
// it. Pure. As nft 1.0.6 and 1.1.3 print them:
//   add element ip sluice m { 10.0.0.3 : 10.0.0.4 }
//   # new generation 4 by process 5420 (nft)
import type { Family } from '../model/ip.ts';

/** Whose rules a change is of; `maybe`: what was changed is not known, or is not ours alone. */
export type Touch = { readonly family: Family; readonly certainty: Certainty };
export type Certainty = 'sure' | 'maybe';

/** What a line about an object says of our rules; undefined where it is about anything else. */
export type TouchOf = (line: string) => Touch | undefined;

/**
 * Who made a transaction. `pid` is that of the machine, which is not what a process in a pid namespace of its
 * own knows; `process` is the kernel's name for it: up to 15 characters, of any kind.
 */
export type Author = { readonly pid: number; readonly process: string };

/** The author; 'unknown' where the kernel does not say; undefined where the line ends no transaction. */
export function authorIn(line: string): Author | 'unknown' | undefined {
  if (!line.startsWith('# new generation ')) return undefined;
  const [, pid, process = ''] = / by process (\d+) \((.*)\)$/s.exec(line) ?? [];
  return pid === undefined ? 'unknown' : { pid: Number(pid), process };
}

/** Whether nft reports that it could not read as fast as there were changes. */
export function hasLostEvents(line: string): boolean {
  return line.startsWith('# ') && / lost some netlink events/.test(line);
}

/** The family that nft calls so; undefined for inet, arp and the like. */
export function familyCalled(word: string | undefined): Family | undefined {
  if (word === 'ip') return 'IPv4';
  return word === 'ip6' ? 'IPv6' : undefined;
}
