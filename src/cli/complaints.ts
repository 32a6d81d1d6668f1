// How a command complains on standard error: in lines for people, or, if it is the daemon and its log is JSON, in
// lines of that log, so that whoever collects it never reads anything else there.
import type { LoggingConfig } from '../model/config.ts';
import type { Io } from './io.ts';

/** Says one line each. */
export type Complaints = {
  readonly warn: (line: string) => void;
  /** What ends the command. */
  readonly fatal: (line: string) => void;
};

/** Complaints in lines for people. */
export function plainComplaints(stderr: Io['stderr']): Complaints {
  const write = (line: string): void => void stderr.write(`sluice: ${line}\n`);
  return { warn: (line) => write(`warning: ${line}`), fatal: write };
}

/** Complaints of a command that logs in this format. */
export async function logComplaints(
  stderr: Io['stderr'],
  format: LoggingConfig['format'],
): Promise<Complaints> {
  const { createLog, isJsonLog } = await import('../serve/log.ts');
  if (!isJsonLog(format, stderr)) return plainComplaints(stderr);
  const log = createLog({ stream: stderr, verbosity: 0, format });
  return { warn: (line) => log.warn(line), fatal: (line) => log.fatal(line) };
}
