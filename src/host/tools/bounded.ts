// Ends a tool that hangs, with all that it has started: a process of its own group that holds the pipe of its output
// would be waited for for ever.
import type { ChildProcess } from 'node:child_process';
import { kill } from 'node:process';

/** The end of a tool that is bounded. */
export type Bound = {
  /** Why it was ended; undefined where it ended by itself. */
  readonly why: () => string | undefined;
  /** To be called when it has ended. */
  readonly release: () => void;
};

// What a tool leaves behind may go on to hold its output.
const outputMs = 2000;

/** Lets a tool that leads a process group run so many milliseconds; then the group is killed. */
export function bound(child: ChildProcess, timeoutMs: number): Bound {
  let why: string | undefined;
  const timer = setTimeout(() => {
    why = `it did not end within ${timeoutMs / 1000} s, and was killed`;
    killGroup(child.pid);
  }, timeoutMs);
  let closing: NodeJS.Timeout | undefined;
  child.once('exit', () => {
    clearTimeout(timer);
    closing = setTimeout(() => {
      child.stdout?.destroy();
      child.stderr?.destroy();
    }, outputMs);
  });
  return {
    why: () => why,
    release() {
      clearTimeout(timer);
      clearTimeout(closing);
    },
  };
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    kill(-pid, 'SIGKILL');
  } catch {
    // It ended in this very moment.
  }
}
