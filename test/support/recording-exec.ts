// An Exec that writes down what is run before it runs it.
import type { Exec } from '../../src/host/tools/exec.ts';

export type Recorded = { readonly command: string; readonly input: string };

export type RecordingExec = {
  readonly exec: Exec;
  /** What was run since the last call of this, oldest first. */
  readonly take: () => readonly Recorded[];
};

/** Runs everything through `exec`. */
export function recording(exec: Exec): RecordingExec {
  let recorded: Recorded[] = [];
  return {
    exec: (file, args, options) => {
      recorded.push({ command: [file, ...args].join(' '), input: options?.input ?? '' });
      return exec(file, args, options);
    },
    take: () => {
      const taken = recorded;
      recorded = [];
      return taken;
    },
  };
}
