// argv in, exit code out: the only file that touches the process.
import { hostname } from 'node:os';
import manifest from '../package.json' with { type: 'json' };
import { parseArgs, type ParsedArgs } from './cli/args.ts';
import { cleanupCommand } from './cli/cleanup.ts';
import { diffCommand } from './cli/diff.ts';
import { helpText } from './cli/help.ts';
import { exitCodes, type Io } from './cli/io.ts';
import { labCommand } from './cli/lab.ts';
import { renderCommand } from './cli/render.ts';
import { runCommand } from './cli/run.ts';
import { rollbackCommand, takeoverCommand } from './cli/takeover.ts';
import { loadConfig, type LoadedConfig } from './config/load-config.ts';
import { SluiceError, UsageError } from './errors.ts';
import { execOnHost } from './host/exec.ts';
import type { Config } from './model/config.ts';
import { families } from './model/ip.ts';

type Flags = ParsedArgs['values'];

async function runCommandLine(argv: readonly string[], io: Io): Promise<number> {
  const { command, values, given, warnings } = parseArgs(argv);
  warn(warnings, io);
  applyColour(values.color);
  if (values.help || command === 'help') {
    io.stdout.write(helpText(command));
    return exitCodes.same;
  }
  const load = async (): Promise<LoadedConfig> => {
    const loaded = await loadConfig({ values, given, hostname: hostname() });
    warn(loaded.warnings, io);
    return loaded;
  };
  const config = async (): Promise<Config> => (await load()).config;
  const { output, 'proxy-mode': proxyMode } = values;
  const dryRun = values['dry-run'];
  switch (command) {
    case 'run': {
      const { manifests } = values;
      const { config: running, values: fileValues } = await load();
      const { verbosity } = running.logging;
      const { version } = manifest;
      const options = { config: running, manifests, dryRun, output, verbosity, version };
      const line = { values, given, hostname: hostname() };
      const configFile = fileValues === undefined ? undefined : { line, values: fileValues };
      const beforeFile = values['before-file'];
      return runCommand({ ...options, configFile, beforeFile }, execOnHost, io);
    }
    case 'diff': {
      const [manifests, { against }] = [manifestsOf(values), values];
      return diffCommand({ config: await config(), manifests, against, output }, execOnHost, io);
    }
    case 'render': {
      const nftInput = output === 'json' ? 'json' : 'text';
      const shown = values.family === undefined ? families : [values.family];
      const rendering = { ...(await config()), nftInput } as const;
      const options = { config: rendering, manifests: manifestsOf(values), families: shown };
      return renderCommand(options, execOnHost, io);
    }
    case 'cleanup':
      return cleanupCommand({ config: await config(), dryRun, output }, execOnHost, io);
    case 'takeover': {
      const { shadow, 'accept-differences': acceptDifferences, 'before-file': beforeFile } = values;
      const options = { shadow, acceptDifferences, beforeFile, output };
      const manifests = manifestsOf(values);
      return takeoverCommand({ config: await config(), manifests, ...options }, execOnHost, io);
    }
    case 'rollback':
      return rollbackCommand({ beforeFile: values['before-file'] }, execOnHost, io);
    case 'lab': {
      const { overlay, keep } = values;
      return labCommand({ overlay, keep, proxyMode, output }, execOnHost, io);
    }
    case 'version':
      io.stdout.write(`sluice ${manifest.version}\n`);
      return exitCodes.same;
  }
}

function warn(warnings: readonly string[], { stderr }: Io): void {
  for (const warning of warnings) stderr.write(`sluice: warning: ${warning}\n`);
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
void main();

// No top-level await: the built file is CommonJS, which has none.
async function main(): Promise<void> {
  try {
    const io = { stdin, stdout, stderr, signal: signalOf() };
    process.exitCode = await runCommandLine(process.argv.slice(2), io);
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    for (const line of error.message.split('\n')) stderr.write(`sluice: ${line}\n`);
    process.exitCode = exitCodes.failed;
  }
}
