// Tells of every tool that ran, for the metrics.
import type { Exec } from './exec.ts';

/** A tool that ended: its name, whether it failed, and how long it ran. */
export type CommandEnd = {
  readonly tool: string;
  readonly isFailed: boolean;
  readonly seconds: number;
};

/** The same Exec, which reports every end; `now` gives milliseconds. */
export function observedExec(
  exec: Exec,
  now: () => number,
  onEnd: (command: CommandEnd) => void,
): Exec {
  return async (file, args, options) => {
    const start = now();
    let isFailed = true;
    try {
      const result = await exec(file, args, options);
      isFailed = false;
      return result;
    } finally {
      onEnd({ tool: file, isFailed, seconds: (now() - start) / 1000 });
    }
  };
}
