// Runs a tool whose output may be long, and hands it over line by line: none of it is kept.
import { execa, ExecaError } from 'execa';
import { ToolError } from '../../errors.ts';
import { bound } from './bounded.ts';
import { missingTool, withRights } from './exec.ts';

export type LinesOptions = {
  readonly onLine: (line: string) => void;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  readonly allowedExitCodes?: readonly number[];
};

/**
 * Runs `file` with `args` and calls `onLine` for each line of its output. Throws MissingToolError where
 * it is not installed, ToolError where it fails, takes too long, or the signal ends it.
 */
export type ExecLines = (
  file: string,
  args: readonly string[],
  options: LinesOptions,
) => Promise<void>;

/** Runs tools of this machine, found on PATH. */
export const execLinesOnHost: ExecLines = async (file, args, options) => {
  const { onLine, signal, timeoutMs, allowedExitCodes = [] } = options;
  const child = execa(file, args, {
    stdin: 'ignore',
    // stderr is short and kept, for the message of a failure.
    buffer: { stdout: false },
    detached: true,
    cancelSignal: signal,
  });
  const { why, release } = bound(child.nodeChildProcess, timeoutMs);
  try {
    for await (const line of child.iterable()) onLine(line);
    await child;
  } catch (error) {
    if (!(error instanceof ExecaError)) throw error;
    if (error.code === 'ENOENT') throw missingTool(file);
    if (error.exitCode !== undefined && allowedExitCodes.includes(error.exitCode)) return;
    const command = [file, ...args].join(' ');
    const stderr = String(error.stderr ?? '');
    const cause =
      why() || stderr.trim().split('\n')[0] || error.originalMessage || error.shortMessage;
    const details = { command, exitCode: error.exitCode, stderr, input: '' };
    throw new ToolError(withRights(`${command}: ${cause}`), details, { cause: error });
  } finally {
    release();
  }
};
