// `sluice lab`: a cluster of namespaces, Sluice on its first node, and real requests to the example
// Services. In: options and the streams to write to. Out: a table or JSON, and the exit code.
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { traitsOf } from '../backends/traits.ts';
import { LabError } from '../errors.ts';
import type { Exec } from '../host/tools/exec.ts';
import { ensureTools, type Tool } from '../host/tools/install.ts';
import { ask, type Finding, questions } from '../lab/demo.ts';
import { demoTable } from '../lab/demo-table.ts';
import { createLab, type Lab } from '../lab/lab.ts';
import { manifestDigest } from '../lab/sluice-process.ts';
import type { Overlay } from '../lab/topology.ts';
import type { ProxyMode } from '../model/config.ts';
import type { Io } from './io.ts';
import { exitCodes } from './io.ts';

export type LabOptions = {
  readonly overlay: Overlay;
  readonly proxyMode: ProxyMode;
  /** Leave the lab standing until the signal comes. */
  readonly keep: boolean;
  readonly output: 'text' | 'json';
};

/** What the command may touch of its process; the signal ends it, after the lab is taken down. */
export type LabIo = Pick<Io, 'stdout' | 'stderr' | 'signal'>;

const toolsOf: Readonly<Record<ProxyMode, readonly Tool[]>> = {
  nftables: ['ip', 'curl', 'conntrack', 'nft'],
  iptables: ['ip', 'curl', 'conntrack', 'iptables', 'ip6tables'],
};

/** Runs the demonstration; 0 where every expected pod answered, 1 otherwise. */
export async function labCommand(options: LabOptions, exec: Exec, io: LabIo): Promise<number> {
  const { stderr, signal } = io;
  // It takes programs and manifests that are in a checkout alone.
  if (!existsSync(exampleManifests())) {
    throw new LabError('sluice lab needs a checkout of the sources, which an image does not have');
  }
  try {
    const tunnelTools: readonly Tool[] = options.overlay === 'udp' ? ['socat'] : [];
    await ensureTools([...toolsOf[options.proxyMode], ...tunnelTools], { exec, stderr });
    stderr.write(`making two nodes, five pods and a client outside (${options.overlay})\n`);
    return await inLab(options, io);
  } catch (error) {
    // In a terminal Ctrl-C also ends the tool that was running; that is no failure of it.
    if (!signal.aborted) throw error;
    return exitCodes.different;
  }
}

async function inLab(options: LabOptions, io: LabIo): Promise<number> {
  const { stdout, stderr, signal } = io;
  const lab = await createLab({ overlay: options.overlay });
  try {
    const findings = await orAborted(signal, () => demonstrate(lab, options, io));
    stdout.write(report(findings, options, stdout));
    if (options.keep) await keep(lab, options, io);
    const isAsExpected = findings.every((finding) => finding.isAsExpected);
    return isAsExpected ? exitCodes.same : exitCodes.different;
  } finally {
    stderr.write('taking the lab down\n');
    await lab.close();
  }
}

async function demonstrate(
  lab: Lab,
  { proxyMode }: LabOptions,
  { stderr, signal }: LabIo,
): Promise<readonly Finding[]> {
  const manifests = exampleManifests();
  stderr.write(`running sluice --proxy-mode ${proxyMode} on n1 with ${manifests}\n`);
  const sluice = lab.startSluice({ manifests, proxyMode });
  await sluice.inStep(manifestDigest(await readFile(manifests, 'utf8')));
  stderr.write(`asking ${questions.length} times over\n`);
  const findings: Finding[] = [];
  for (const question of questions) {
    signal.throwIfAborted();
    findings.push(await ask(lab, question));
  }
  return findings;
}

function exampleManifests(): string {
  return fileURLToPath(new URL('../../manifests/examples/services.yaml', import.meta.url));
}

function sluicePath(): string {
  return fileURLToPath(new URL('../../bin/sluice', import.meta.url));
}

function report(
  findings: readonly Finding[],
  { overlay, proxyMode, output }: LabOptions,
  stdout: NodeJS.WritableStream,
): string {
  if (output === 'text') return demoTable(findings, stdout);
  return `${JSON.stringify({ overlay, proxyMode, findings }, undefined, 2)}\n`;
}

async function keep(lab: Lab, { proxyMode }: LabOptions, { stderr, signal }: LabIo): Promise<void> {
  const lines = [
    'The lab stands until Ctrl-C. Ask a Service, see the rules, look around:',
    `  ip netns exec ${lab.namespace('p13')} curl http://10.96.0.10/`,
    `  ip netns exec ${lab.namespace('ext')} curl http://203.0.113.11/`,
    `  ip netns exec ${lab.namespace('n1')} ${traitsOf(proxyMode).listCommand}`,
    `  ip netns exec ${lab.namespace('ext')} sh`,
    'Ask Sluice on n1, without a flag (also diff, doctor, explain outside 203.0.113.11:80):',
    `  ip netns exec ${lab.namespace('n1')} ${sluicePath()} status`,
    `  ip netns exec ${lab.namespace('n1')} ${sluicePath()} verify`,
    `Sluice follows ${exampleManifests()}: change it and ask again.`,
  ];
  stderr.write(lines.map((line) => `${line}\n`).join(''));
  if (!signal.aborted) await once(signal, 'abort');
}

/** The outcome of the work, or a rejection as soon as the signal comes. */
async function orAborted<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work(), aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
