// argv in, exit code out: the only file that touches the process.
import { hostname } from 'node:os';
import manifest from '../package.json' with { type: 'json' };
import { parseArgs, type ParsedArgs } from './cli/arguments/args.ts';
import { helpText, optionsText } from './cli/help/help.ts';
import { exitCodes, type Io } from './cli/io.ts';
import { loadConfig, type LoadedConfig } from './config/load-config.ts';
import { SluiceError, UsageError } from './errors.ts';
import { execOnHost } from './host/exec.ts';
import type { Config } from './model/config.ts';
import { families } from './model/ip.ts';

type Flags = ParsedArgs['values'];

// Where kube-proxy's metrics are, too.
const localDaemon = 'http://127.0.0.1:10249';

async function runCommandLine(argv: readonly string[], io: Io): Promise<number> {
  const { command, values, operands, given, warnings } = parseArgs(argv);
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
  // Each command is loaded when it is asked for: the daemon has no room for the others.
  switch (command) {
    case 'run': {
      const { manifests } = values;
      const { config: running, values: fileValues } = await load();
      const { verbosity } = running.logging;
      const { version } = manifest;
      const shown = { rules: values.rules, all: values.all };
      const options = { config: running, manifests, dryRun, output, shown, verbosity, version };
      const line = { values, given, hostname: hostname() };
      const configFile = fileValues === undefined ? undefined : { line, values: fileValues };
      const beforeFile = values['before-file'];
      const connectionMetrics = values['service-connection-metrics'];
      const statusPage = values['status-page'];
      const { runCommand } = await import('./cli/run.ts');
      return runCommand(
        { ...options, configFile, beforeFile, connectionMetrics, statusPage },
        execOnHost,
        io,
      );
    }
    case 'diff': {
      const [manifests, { against, rules, all }] = [manifestsOf(values), values];
      const { diffCommand, gatesOf } = await import('./cli/diff/diff.ts');
      const gates = gatesOf({
        endpointsLost: values['refuse-if-endpoints-lost'],
        servicesLost: values['refuse-if-services-lost'],
      });
      const options = { manifests, against, output, gates, shown: { rules, all } };
      return diffCommand({ ...options, config: await config() }, execOnHost, io);
    }
    case 'explain': {
      const [from = '', to = ''] = operands;
      const { manifests, daemon, live, wait: waitMs } = values;
      const source = { config: await config(), manifests, daemon };
      const { explainCommand } = await import('./cli/explain/explain.ts');
      return explainCommand({ ...source, from, to, live, waitMs, output }, execOnHost, io);
    }
    case 'status': {
      const { daemon = localDaemon, passes } = values;
      const { statusCommand } = await import('./cli/status/status.ts');
      return statusCommand({ daemon, passes, output }, io);
    }
    case 'top': {
      const { daemon = localDaemon, once, sort } = values;
      const { topCommand } = await import('./cli/status/top.ts');
      return topCommand({ daemon, once, sort, output }, io);
    }
    case 'replay': {
      const { step, rules, all } = values;
      const [file = ''] = operands;
      const { replayCommand } = await import('./cli/replay.ts');
      return replayCommand({ file, step, output, shown: { rules, all } }, execOnHost, io);
    }
    case 'verify': {
      const { manifests, daemon, probe, rules, all } = values;
      const source = { config: await config(), manifests, daemon };
      const { verifyCommand } = await import('./cli/verify/verify.ts');
      return verifyCommand({ ...source, probe, output, shown: { rules, all } }, execOnHost, io);
    }
    case 'render': {
      const nftInput = output === 'json' ? 'json' : 'text';
      const shown = values.family === undefined ? families : [values.family];
      const rendering = { ...(await config()), nftInput } as const;
      const options = { config: rendering, manifests: manifestsOf(values), families: shown };
      const { renderCommand } = await import('./cli/diff/render.ts');
      return renderCommand(options, execOnHost, io);
    }
    case 'cleanup': {
      const { cleanupCommand } = await import('./cli/node/cleanup.ts');
      return cleanupCommand({ config: await config(), dryRun, output }, execOnHost, io);
    }
    case 'takeover': {
      const { shadow, 'accept-differences': acceptDifferences, 'before-file': beforeFile } = values;
      const options = { shadow, acceptDifferences, beforeFile, output };
      const manifests = manifestsOf(values);
      const { takeoverCommand } = await import('./cli/node/takeover.ts');
      return takeoverCommand({ config: await config(), manifests, ...options }, execOnHost, io);
    }
    case 'rollback': {
      const { rollbackCommand } = await import('./cli/node/takeover.ts');
      return rollbackCommand({ beforeFile: values['before-file'] }, execOnHost, io);
    }
    case 'lab': {
      const { overlay, keep } = values;
      const { labCommand } = await import('./cli/lab.ts');
      return labCommand({ overlay, keep, proxyMode, output }, execOnHost, io);
    }
    case 'doctor': {
      const doctor = {
        proxyMode: given.has('proxy-mode') ? proxyMode : undefined,
        nodePortRange: values['service-node-port-range'],
        nodeVersion: process.version,
      };
      const { doctorCommand } = await import('./cli/node/doctor.ts');
      return doctorCommand({ ...doctor, output }, execOnHost, io);
    }
    case 'completion': {
      const { completionCommand } = await import('./cli/completion/completion.ts');
      return completionCommand(operands[0] ?? '', io);
    }
    case 'options':
      io.stdout.write(optionsText());
      return exitCodes.same;
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
