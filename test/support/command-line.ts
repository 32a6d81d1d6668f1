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
  /** What listens where a daemon's debug server is; nobody unless told. */
  readonly daemon?: string;
  readonly setColour?: (colour: string) => unknown;
};

const noTools: Exec = (file) => Promise.reject(new Error(`runs no tool, not ${file}`));

/** Runs it to its end. */
export async function commandLine(
  argv: readonly string[],
  { exec = noTools, stdin: input = '', until, daemon, setColour = () => {} }: Around = {},
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
    io: {
      stdin,
      stdout,
      stderr,
      signal: ending.signal,
      onHangup: () => {},
      fetch: fetchVia(daemon),
    },
    program: { version: '1.2.3', nodeVersion: 'v24.0.0', hostname: 'host' },
    setColour,
  });
  stdout.end();
  stderr.end();
  return { exitCode, stdout: await written, stderr: await complained };
}

const ports = /^http:\/\/(127\.0\.0\.1|\[::1\]):10247(?=\/)/;

// Whatever listens at that port of the machine that runs the tests is not theirs.
function fetchVia(daemon: string | undefined): typeof fetch {
  return (asked, init) => {
    const url = asked instanceof Request ? asked.url : asked.toString();
    if (!ports.test(url)) return fetch(url, init);
    if (daemon !== undefined) return fetch(url.replace(ports, daemon), init);
    const cause = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    return Promise.reject(new TypeError('fetch failed', { cause }));
  };
}
