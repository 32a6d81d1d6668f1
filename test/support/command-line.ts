// Whole command lines in process: arguments and standard input in, all that they write and their exit code out.
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { runCommandLine } from '../../src/cli/command-line.ts';
import type { Exec } from '../../src/host/tools/exec.ts';

/** What a command line did. */
export type Outcome = {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
};

/** What it is run with. */
export type Around = {
  /** No tool unless told. */
  readonly exec?: Exec;
  readonly stdin?: string;
  /** Ctrl-C comes when this was printed. */
  readonly until?: string;
  readonly setColour?: (colour: string) => unknown;
};

const noTools: Exec = (file) => Promise.reject(new Error(`runs no tool, not ${file}`));

/** Runs it to its end. */
export async function commandLine(
  argv: readonly string[],
  { exec = noTools, stdin: input = '', until, setColour = () => {} }: Around = {},
): Promise<Outcome> {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  stdin.end(input);
  const [written, complained] = [text(stdout), text(stderr)];
  const ending = new AbortController();
  if (until !== undefined) {
    stdout.on('data', (chunk) => String(chunk).includes(until) && ending.abort());
  }
  const exitCode = await runCommandLine(argv, {
    exec,
    io: { stdin, stdout, stderr, signal: ending.signal, onHangup: () => {} },
    program: { version: '1.2.3', nodeVersion: 'v24.0.0', hostname: 'host' },
    setColour,
  });
  stdout.end();
  stderr.end();
  return { exitCode, stdout: await written, stderr: await complained };
}
