// argv in, exit code out: the only file that touches the process.
import { hostname } from 'node:os';
import manifest from '../package.json' with { type: 'json' };
import { runCommandLine } from './cli/command-line.ts';
import type { Io } from './cli/io.ts';
import { execOnHost } from './host/tools/exec.ts';

const { stdin, stdout, stderr } = process;

// A terminal that does not know its size (script(1), some containers) says 0; the shell may know it.
const sizes = { columns: 'COLUMNS', rows: 'LINES' } as const;
for (const size of ['columns', 'rows'] as const) {
  const told = Number(process.env[sizes[size]]);
  if (stdout.isTTY && !(stdout[size] > 0) && told > 0) stdout[size] = told;
}

// styleText looks at the environment; a flag goes before it.
function setColour(colour: 'auto' | 'always' | 'never'): void {
  if (colour === 'auto') return;
  delete process.env['NO_COLOR'];
  delete process.env['FORCE_COLOR'];
  process.env[colour === 'always' ? 'FORCE_COLOR' : 'NO_COLOR'] = '1';
}

/**
 * The first signal asks for an orderly end; a second one ends at once. SIGHUP asks for an orderly end too, unless
 * the command has another use for it; a terminal that closes may send it more than once.
 */
function signalsOf(): Pick<Io, 'signal' | 'onHangup'> {
  const ending = new AbortController();
  let hangup = (): void => ending.abort();
  // A log that can no longer be written does not end a daemon; a terminal that is gone does.
  stderr.on('error', ({ code }: NodeJS.ErrnoException) => code === 'EIO' && ending.abort());
  // A reader that has seen enough (`| head`) is no fault of ours, and changes nothing of what was found: what goes on
  // for ever ends, and all else goes on to its own exit code.
  const hasLeft: ReadonlySet<string | undefined> = new Set(['EPIPE', 'ERR_STREAM_DESTROYED']);
  stdout.on('error', ({ code }: NodeJS.ErrnoException) =>
    hasLeft.has(code) ? ending.abort() : process.exit(2),
  );
  process.on('SIGHUP', () => hangup());
  // A listener must stay: where none is left, a library's own (execa's) would end the process.
  const signals = { SIGINT: 130, SIGTERM: 143 } as const;
  for (const [name, exitCode] of Object.entries(signals)) {
    process.on(name, () => (ending.signal.aborted ? process.exit(exitCode) : ending.abort()));
  }
  return { signal: ending.signal, onHangup: (listener) => (hangup = listener) };
}

void main();

// No top-level await: the built file is CommonJS, which has none.
async function main(): Promise<void> {
  const io = { stdin, stdout, stderr, ...signalsOf(), fetch };
  const { version } = manifest;
  const program = { version, nodeVersion: process.version, hostname: hostname() };
  const environment = { exec: execOnHost, io, program, setColour };
  process.exitCode = await runCommandLine(process.argv.slice(2), environment);
  // Whatever is still open does not keep a command alive that has ended.
  setTimeout(() => process.exit(), 1000).unref();
}
