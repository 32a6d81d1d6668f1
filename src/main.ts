// argv in, exit code out: the only file that touches the process.
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { parseArgs, type ParsedArgs } from './cli/args.ts';
import { cleanupCommand } from './cli/cleanup.ts';
import { diffCommand } from './cli/diff.ts';
import { helpText } from './cli/help.ts';
import { exitCodes, type Io } from './cli/io.ts';
import { labCommand } from './cli/lab.ts';
import { renderCommand } from './cli/render.ts';
import { runCommand } from './cli/run.ts';
import { configFromFlags } from './config/config.ts';
import { SluiceError, UsageError } from './errors.ts';
import { execOnHost } from './host/exec.ts';
import { families } from './model/ip.ts';

type Flags = ParsedArgs['values'];

async function runCommandLine(argv: readonly string[], io: Io): Promise<number> {
  const { command, values, warnings } = parseArgs(argv);
  for (const warning of warnings) io.stderr.write(`sluice: warning: ${warning}\n`);
  applyColour(values.color);
  if (values.help || command === 'help') {
    io.stdout.write(helpText(command));
    return exitCodes.same;
  }
  const config = (): ReturnType<typeof configFromFlags> => configFromFlags(values, hostname());
  const { output, 'proxy-mode': proxyMode, v: verbosity } = values;
  const dryRun = values['dry-run'];
  switch (command) {
    case 'run': {
      const manifests = manifestsOf(values);
      return runCommand({ config: config(), manifests, dryRun, output, verbosity }, execOnHost, io);
    }
    case 'diff': {
      const [manifests, { against }] = [manifestsOf(values), values];
      return diffCommand({ config: config(), manifests, against, output }, execOnHost, io);
    }
    case 'render': {
      const nftInput = output === 'json' ? 'json' : 'text';
      const shown = values.family === undefined ? families : [values.family];
      const rendering = { ...config(), nftInput } as const;
      const options = { config: rendering, manifests: manifestsOf(values), families: shown };
      return renderCommand(options, execOnHost, io);
    }
    case 'cleanup':
      return cleanupCommand({ config: config(), dryRun, output }, execOnHost, io);
    case 'lab': {
      const { overlay, keep } = values;
      return labCommand({ overlay, keep, proxyMode, output }, execOnHost, io);
    }
    case 'version':
      io.stdout.write(`sluice ${versionOf()}\n`);
      return exitCodes.same;
  }
}

function manifestsOf(values: Flags): string {
  if (values.manifests !== undefined) return values.manifests;
  throw new UsageError('--manifests PATH is needed: the file or folder of Kubernetes objects');
}

// styleText looks at the environment; a flag goes before it.
function applyColour(colour: Flags['color']): void {
  if (colour === 'auto') return;
  delete process.env['NO_COLOR'];
  delete process.env['FORCE_COLOR'];
  process.env[colour === 'always' ? 'FORCE_COLOR' : 'NO_COLOR'] = '1';
}

function versionOf(): string {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}

/** The first signal asks for an orderly end; a second one ends at once. */
function signalOf(): AbortSignal {
  const ending = new AbortController();
  // A listener must stay: where none is left, a library's own (execa's) would end the process.
  const signals = { SIGINT: 130, SIGTERM: 143 } as const;
  for (const [name, exitCode] of Object.entries(signals)) {
    process.on(name, () => (ending.signal.aborted ? process.exit(exitCode) : ending.abort()));
  }
  return ending.signal;
}

const { stdin, stdout, stderr } = process;
// A reader that has seen enough (`| head`) is no fault of ours.
stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 2));
try {
  const io = { stdin, stdout, stderr, signal: signalOf() };
  process.exitCode = await runCommandLine(process.argv.slice(2), io);
} catch (error) {
  if (!(error instanceof SluiceError)) throw error;
  for (const line of error.message.split('\n')) stderr.write(`sluice: ${line}\n`);
  process.exitCode = exitCodes.failed;
}
