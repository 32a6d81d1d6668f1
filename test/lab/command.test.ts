// `sluice lab` from end to end: what it prints, how it ends, and that nothing is left of it. Needs root.
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { execa, type ResultPromise } from 'execa';
import { describe, expect, test } from 'vitest';
import { labCommand, type LabIo, type LabOptions } from '../../src/cli/lab.ts';
import { execOnHost } from '../../src/host/tools/exec.ts';
import { questions } from '../../src/lab/demo.ts';
import { createLab } from '../../src/lab/lab.ts';
import type { Overlay } from '../../src/lab/topology.ts';

const demonstration: LabOptions = {
  overlay: 'host-gw',
  proxyMode: 'nftables',
  keep: false,
  output: 'json',
};

type Outcome = { readonly exitCode: number; readonly stdout: string };

/** Runs the command; `onProgress` hears what it writes to stderr. */
async function run(
  options: LabOptions,
  { signal = neverAborted, onProgress = ignore }: Partial<Listening> = {},
): Promise<Outcome> {
  const stdout = new PassThrough();
  const stderr = new Writable({
    write: (chunk: Buffer, _, done) => {
      onProgress(chunk.toString());
      done();
    },
  });
  const io: LabIo = { stdout, stderr, signal };
  const exitCode = await labCommand(options, execOnHost, io);
  stdout.end();
  return { exitCode, stdout: await text(stdout) };
}

type Listening = {
  readonly signal: AbortSignal;
  readonly onProgress: (text: string) => void;
};

const pipes = { reject: false, buffer: false } as const;
const neverAborted = new AbortController().signal;
const ignore = (): void => undefined;

test.each([
  ['nftables', 'host-gw'],
  ['iptables', 'host-gw'],
  ['nftables', 'vxlan'],
  ['iptables', 'udp'],
  ['nftables', 'macvlan'],
] as const)('every pod answers through %s over %s', async (proxyMode, overlay) => {
  const { exitCode, stdout } = await run({ ...demonstration, proxyMode, overlay });
  const { findings }: { findings: readonly { isAsExpected: boolean }[] } = JSON.parse(stdout);
  expect(findings.map(({ isAsExpected }) => isAsExpected)).toEqual(questions.map(() => true));
  expect(exitCode).toBe(0);
});

describe('when it is told to end', () => {
  test.each(['making', 'running', 'asking'])('while it is %s, it does', async (moment) => {
    const ending = new AbortController();
    const onProgress = (line: string): void =>
      line.startsWith(moment) ? ending.abort() : undefined;
    const outcome = await run(demonstration, { signal: ending.signal, onProgress });
    expect(outcome).toEqual({ exitCode: 1, stdout: '' });
  });

  test('the lab that was kept goes', async () => {
    const ending = new AbortController();
    const namespaces: string[] = [];
    const onProgress = (line: string): void => {
      if (!line.startsWith('The lab stands')) return;
      for (const [, name = ''] of line.matchAll(/netns exec (\S+)/g)) namespaces.push(name);
      ending.abort();
    };
    const { exitCode } = await run(
      { ...demonstration, keep: true },
      { signal: ending.signal, onProgress },
    );
    expect(exitCode).toBe(0);
    expect(namespaces).toHaveLength(6);
    expect((await readdir('/run/netns')).filter((name) => namespaces.includes(name))).toEqual([]);
  });

  test.each([
    ['SIGINT', 'host-gw'],
    ['SIGTERM', 'udp'],
    ['SIGHUP', 'host-gw'],
    ['SIGINT', 'udp'],
    ['SIGINT', 'macvlan'],
    ['SIGINT', 'vxlan'],
  ] as const)('by %s over %s, nothing is left', async (signal, overlay) => {
    const { command, processes } = await asking(overlay);
    command.kill(signal);
    const { exitCode } = await command;
    expect(exitCode).toBe(1);
    expect(await namespacesOf(command.pid)).toEqual([]);
    expect(processes.filter(isAlive)).toEqual([]);
  });

  test.each([
    ['iptables', 'socat', 'udp', 'the tunnel of n'],
    ['nftables', 'nft', 'host-gw', 'sluice has ended (exit code 2)'],
  ] as const)('%s: where %s fails, nothing is left', async (mode, tool, overlay, message) => {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-broken-'));
    await writeFile(join(folder, tool), '#!/bin/sh\necho broken >&2\nexit 1\n', { mode: 0o755 });
    const args = ['lab', '--overlay', overlay, '--proxy-mode', mode];
    const PATH = `${folder}:${process.env['PATH']}`;
    const command = execa('bin/sluice', args, { reject: false, env: { PATH } });
    const { exitCode, stderr } = await command;
    await rm(folder, { recursive: true });
    expect(stderr).toContain(message);
    expect(stderr).toContain('broken');
    expect(exitCode).toBe(2);
    expect(await namespacesOf(command.pid)).toEqual([]);
  });

  test('what it leaves when it is killed is swept by the next lab', async () => {
    const { command, processes } = await asking('udp');
    command.kill('SIGKILL');
    await command;
    const next = await createLab();
    const left = [await namespacesOf(command.pid), processes.filter(isAlive)];
    await next.close();
    expect(left).toEqual([[], []]);
  });
});

type Asking = {
  readonly command: ResultPromise<typeof pipes>;
  /** All that runs on its nodes. */
  readonly processes: readonly string[];
};

/** The command, once Sluice is in step. */
async function asking(overlay: Overlay): Promise<Asking> {
  const args = ['lab', '--overlay', overlay, '--proxy-mode', 'iptables'];
  const command = execa('bin/sluice', args, pipes);
  const progress = command.stderr.setEncoding('utf8');
  for (let line = ''; !line.includes('asking');) [line] = await once(progress, 'data');
  progress.resume();
  const nodes = (await namespacesOf(command.pid)).filter((name) => /-n[12]$/.test(name));
  const pids = await Promise.all(nodes.map((name) => execa('ip', ['netns', 'pids', name])));
  const processes = pids.flatMap(({ stdout }) => stdout.split('\n'));
  // An agent each, Sluice with a tool that it may run, and the tunnels.
  expect(processes.length).toBeGreaterThanOrEqual(overlay === 'udp' ? 5 : 3);
  return { command, processes };
}

async function namespacesOf(pid: number | undefined): Promise<readonly string[]> {
  const names = await readdir('/run/netns');
  return names.filter((name) => name.startsWith(`sluice-${pid}-`));
}

function isAlive(pid: string): boolean {
  // One that has ended and was not waited for has no executable any more.
  return existsSync(`/proc/${pid}/exe`);
}
