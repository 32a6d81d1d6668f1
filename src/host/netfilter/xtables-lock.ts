// Who holds the lock of the legacy iptables, which one program at a time may have. Best effort: the
// kernel lists processes that are in our own PID namespace, or below it.
import { readFile, stat } from 'node:fs/promises';

/** Where all programs that use legacy iptables agree to lock. */
const xtablesLock = '/run/xtables.lock';

/** A process that has the lock. */
export type LockHolder = { readonly pid: number; readonly name: string };

/** The processes that hold a lock on `file`, now; none where that cannot be seen. */
export async function findLockHolders(
  file = xtablesLock,
  proc = '/proc',
): Promise<readonly LockHolder[]> {
  try {
    const { ino } = await stat(file);
    const pids = parseLocks(await readFile(`${proc}/locks`, 'utf8'), ino);
    return await Promise.all(pids.map(async (pid) => ({ pid, name: await nameOf(pid, proc) })));
  } catch {
    return [];
  }
}

/** Who holds an flock(2) of the file with this inode, by the kernel's list; who waits is left out. */
export function parseLocks(text: string, inode: number): readonly number[] {
  // `2: FLOCK  ADVISORY  WRITE 4711 fd:01:131 0 EOF`, `2: -> FLOCK …` for one who waits.
  const held = /^\d+: FLOCK +\S+ +\S+ +(\d+) [0-9a-f]+:[0-9a-f]+:(\d+) /gm;
  const pids = [...text.matchAll(held)].flatMap(([, pid, found]) =>
    Number(found) === inode && Number(pid) > 0 ? [Number(pid)] : [],
  );
  return [...new Set(pids)];
}

async function nameOf(pid: number, proc: string): Promise<string> {
  const name = await readFile(`${proc}/${pid}/comm`, 'utf8').catch(() => '');
  return name.trim() || 'a process that has ended';
}
