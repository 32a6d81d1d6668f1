// Tools that are asked the same again while nothing changes.
import type { Exec, ExecResult } from './exec.ts';

/** The same Exec, which runs a command without input only once, and remembers what came out. For reading alone. */
export function askingOnce(exec: Exec): Exec {
  const asked = new Map<string, Promise<ExecResult>>();
  return (file, args, options) => {
    if (options?.input !== undefined) return exec(file, args, options);
    const key = JSON.stringify([file, args, options?.allowedExitCodes ?? []]);
    const known = asked.get(key) ?? exec(file, args, options);
    asked.set(key, known);
    return known;
  };
}
