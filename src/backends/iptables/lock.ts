// What a complaint of the legacy iptables about its lock means, with the program that has the lock.
import { ToolError } from '../../errors.ts';
import type { LockHolder } from '../../host/netfilter/xtables-lock.ts';

/** As kube-proxy: seconds to wait for another program that holds the lock of the legacy variant. */
export const lockSeconds = '5';

/** Finds out who has the lock. */
export type FindHolders = () => Promise<readonly LockHolder[]>;

/** Whether a tool gave up because another program had the lock. */
export function isLocked(stderr: string): boolean {
  return /holding the xtables lock/.test(stderr);
}

/** Who has the lock, for people. */
export function holdersText(holders: readonly LockHolder[]): string {
  if (holders.length === 0) {
    return 'who has it cannot be seen from here: `fuser -v /run/xtables.lock` on the node tells';
  }
  return `it is held by ${holders.map(({ pid, name }) => `${name} (pid ${pid})`).join(', ')}`;
}

/** The error of a tool that waited for the lock in vain, with who has it; any other as it is. */
export async function nameHolder(error: ToolError, findHolders: FindHolders): Promise<ToolError> {
  if (!isLocked(error.stderr)) return error;
  const holders = holdersText(await findHolders());
  const message = `${error.command}: waited ${lockSeconds} s for the xtables lock in vain; ${holders}`;
  return new ToolError(message, error, { cause: error });
}
