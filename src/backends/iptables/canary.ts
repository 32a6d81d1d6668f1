// The canaries: empty chains that nothing leads to, one in each table. Legacy iptables tells nobody of a
// change; whoever flushes its tables (`iptables -X`, a firewall that starts anew) takes these away as well,
// and that is quickly seen. As kube-proxy's KUBE-PROXY-CANARY, under a name of our own: that one says to others
// that kube-proxy runs.
import type { Exec } from '../../host/tools/exec.ts';
import { lockSeconds } from './lock.ts';
import type { TableName } from './names.ts';
import { fixedChains } from './names.ts';
import type { IptablesUnit } from './unit.ts';
import { chainUnit } from './unit.ts';

const canaryTables: readonly TableName[] = ['filter', 'nat', 'mangle'];

/** Their units. */
export function canaryUnits(): readonly IptablesUnit[] {
  return canaryTables.map((table) => chainUnit(table, fixedChains.canary, { rules: [] }));
}

// As iptables has it: 1 where the chain is not there, 4 where the tables cannot be read at the moment.
const exitCodes = { there: 0, absent: 1, locked: 4 } as const;

/**
 * Whether all of them are there; undefined where that cannot be known now, as somebody holds the lock for
 * longer than is waited. Cheap in the first table that is asked, mangle, where nothing else of ours is.
 */
export async function canariesStand(exec: Exec, tool: string): Promise<boolean | undefined> {
  const { absent, locked } = exitCodes;
  for (const table of canaryTables.toReversed()) {
    const args = ['-w', lockSeconds, '-t', table, '-S', fixedChains.canary];
    const { exitCode } = await exec(tool, args, { allowedExitCodes: [absent, locked] });
    if (exitCode === absent) return false;
    if (exitCode === locked) return undefined;
  }
  return true;
}

/** In each table a chain that has rules whichever Services there are. */
const neverEmpty = [
  ['nat', fixedChains.services],
  ['filter', fixedChains.forward],
] as const satisfies readonly (readonly [TableName, string])[];

/**
 * The same for iptables-nft, which reports changes, and needs no chains for this: whether our rules were
 * flushed is asked of chains that are never without. Reads no other chain.
 */
export async function rulesStand(exec: Exec, tool: string): Promise<boolean | undefined> {
  const { absent, locked } = exitCodes;
  for (const [table, chain] of neverEmpty) {
    const args = ['-w', lockSeconds, '-t', table, '-S', chain];
    const allowedExitCodes = [absent, locked];
    const { exitCode, stdout } = await exec(tool, args, { allowedExitCodes });
    if (exitCode === locked) return undefined;
    if (exitCode === absent || !stdout.includes('-A ')) return false;
  }
  return true;
}
