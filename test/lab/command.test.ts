// `sluice lab` from end to end: what it prints, how it ends, and that nothing is left of it. Needs root.
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { PassThrough, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { labCommand, type LabIo, type LabOptions } from '../../src/cli/lab.ts';
import { execOnHost } from '../../src/host/exec.ts';
import { questions } from '../../src/lab/demo.ts';

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

const neverAborted = new AbortController().signal;
const ignore = (): void => undefined;

test.each(['nftables', 'iptables'] as const)('every pod answers through %s', async (proxyMode) => {
  const { exitCode, stdout } = await run({ ...demonstration, proxyMode });
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
    expect(namespaces).toHaveLength(3);
    expect((await readdir('/run/netns')).filter((name) => namespaces.includes(name))).toEqual([]);
  });

  test.each(['SIGINT', 'SIGTERM'] as const)('by %s, nothing is left', async (signal) => {
    const command = execa('bin/sluice', ['lab'], { reject: false, buffer: false });
    const progress = command.stderr.setEncoding('utf8');
    for (let line = ''; !line.includes('asking');) [line] = await once(progress, 'data');
    progress.resume();
    command.kill(signal);
    const { exitCode } = await command;
    expect(exitCode).toBe(1);
    const left = (await readdir('/run/netns')).filter((name) =>
      name.startsWith(`sluice-${command.pid}-`),
    );
    expect(left).toEqual([]);
  });
});
