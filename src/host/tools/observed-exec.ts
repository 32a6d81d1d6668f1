// Tells of every tool that ran, for the metrics, and of one that runs for long, for the log.
import type { Exec } from './exec.ts';

/** A tool that ended: its name, whether it failed, and how long it ran. */
export type CommandEnd = {
  readonly tool: string;
  readonly isFailed: boolean;
  readonly seconds: number;
};

/** A tool that runs for long: its command, and the seconds that it has run or ran. */
export type SlowCommand = {
  readonly command: string;
  readonly seconds: number;
  readonly isOver: boolean;
};

// A large load is given to nft in parts that take a second or two.
const slowMs = 5000;

/** The same Exec, which tells of commands that run for more than five seconds: then, and when they ended. */
export function toldExec(exec: Exec, onSlow: (command: SlowCommand) => void): Exec {
  return async (file, args, options) => {
    const command = [file, ...args].join(' ');
    const start = performance.now();
    const tell = (isOver: boolean): void =>
      onSlow({ command, isOver, seconds: Math.round((performance.now() - start) / 1000) });
    let isSlow = false;
    const timer = setTimeout(() => {
      isSlow = true;
      tell(false);
    }, slowMs);
    try {
      return await exec(file, args, options);
    } finally {
      clearTimeout(timer);
      if (isSlow) tell(true);
    }
  };
}

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
