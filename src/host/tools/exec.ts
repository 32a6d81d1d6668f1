// Runs a tool of this machine to its end: arguments and standard input in, output out. The one place
// where the proxy starts processes.
import type { Readable } from 'node:stream';
import { execa, ExecaError } from 'execa';
import { MissingToolError, ToolError } from '../../errors.ts';
import { bound, type Bound } from './bounded.ts';
import { withInputFile } from './input-file.ts';

/** What a tool printed; a non-zero exit is data here only where `allowedExitCodes` names it. */
export type ExecResult = {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
};

export type ExecOptions = {
  /** Standard input; '' is the end of file at once. */
  readonly input?: string;
  readonly timeoutMs?: number;
  readonly allowedExitCodes?: readonly number[];
  readonly signal?: AbortSignal;
  /** Is given the id of the process before anything that it does can be noticed. */
  readonly onStart?: (pid: number) => void;
};

/** Runs `file` with `args`; throws MissingToolError where it is not installed, ToolError where it fails. */
export type Exec = (
  file: string,
  args: readonly string[],
  options?: ExecOptions,
) => Promise<ExecResult>;

// Two minutes bound a tool that hangs (a lock that is never freed); the largest load takes seconds.
const defaultTimeoutMs = 120_000;

/** Debian packages that hold the tools, for the remedy in a MissingToolError. */
const packageOf: Readonly<Record<string, string>> = {
  nft: 'nftables',
  conntrack: 'conntrack',
  ip: 'iproute2',
};

/** Runs tools of this machine, found on PATH. */
export const execOnHost: Exec = (file, args, options = {}) => {
  const { input = '' } = options;
  if (input === '') return run(file, args, { ...options, stdin: 'ignore' });
  return withInputFile(input, (stdin) => run(file, args, { ...options, stdin }));
};

async function run(
  file: string,
  args: readonly string[],
  options: ExecOptions & { readonly stdin: 'ignore' | number },
): Promise<ExecResult> {
  const {
    input = '',
    stdin,
    timeoutMs = defaultTimeoutMs,
    allowedExitCodes = [],
    signal,
    onStart,
  } = options;
  const command = [file, ...args].join(' ');
  const output: Output = { stdout: [], stderr: [] };
  let bounds: Bound | undefined;
  try {
    const child = execa(file, args, {
      // With its own buffers execa leaves 90 kB a call (measured; 11 kB so) until V8 collects its oldest
      // garbage.
      buffer: false,
      // execa's types name descriptors up to 9; Node takes any.
      stdin: stdin as 'ignore' | 3,
      // A transaction in flight is finished, whoever is asked to end, and by whichever terminal.
      cleanup: false,
      detached: true,
      ...(signal === undefined ? {} : { cancelSignal: signal }),
    });
    bounds = bound(child.nodeChildProcess, timeoutMs);
    if (child.pid !== undefined) onStart?.(child.pid);
    collect(child.stdout, output.stdout);
    collect(child.stderr, output.stderr);
    const { exitCode } = await child;
    return { ...textOf(output), exitCode: exitCode ?? 0 };
  } catch (error) {
    if (!(error instanceof ExecaError)) throw error;
    if (error.code === 'ENOENT') throw missingTool(file);
    const { stdout, stderr } = textOf(output);
    if (error.exitCode !== undefined && allowedExitCodes.includes(error.exitCode)) {
      return { stdout, stderr, exitCode: error.exitCode };
    }
    const cause =
      bounds?.why() || stderr.trim().split('\n')[0] || error.originalMessage || error.shortMessage;
    const details = { command, exitCode: error.exitCode, stderr, input };
    throw new ToolError(withRights(`${command}: ${cause}`), details, { cause: error });
  } finally {
    bounds?.release();
  }
}

/** What a tool has printed until now, in pieces. */
type Output = { readonly stdout: string[]; readonly stderr: string[] };

function collect(stream: Readable, pieces: string[]): void {
  stream.setEncoding('utf8').on('data', (piece: string) => pieces.push(piece));
}

function textOf({ stdout, stderr }: Output): Omit<ExecResult, 'exitCode'> {
  return { stdout: stdout.join(''), stderr: stderr.join('') };
}

/** A tool's complaint, with what it takes to be allowed where that is the matter. */
export function withRights(complaint: string): string {
  const isRefused = /operation not permitted|permission denied|must be root/i.test(complaint);
  return isRefused ? `${complaint}; this needs root or CAP_NET_ADMIN` : complaint;
}

/** The error for a program that is not on PATH, with the Debian command that installs it. */
export function missingTool(tool: string): MissingToolError {
  const name = packageOf[tool] ?? (tool.startsWith('ip') ? 'iptables' : tool);
  return new MissingToolError(tool, `apt-get install -y ${name}`);
}
