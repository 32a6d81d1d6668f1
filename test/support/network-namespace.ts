// A network namespace for one test, empty and gone when the test ends. In it: tools, the commands of
// Sluice, and a daemon. Needs root.
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa, type ResultPromise } from 'execa';
import { onTestFinished } from 'vitest';
import { execOnHost, type Exec } from '../../src/host/tools/exec.ts';
import { createNamespaces, deleteNamespaces, newLabName } from '../../src/lab/namespaces.ts';
import {
  leavesHostAlone,
  startSluice,
  type SluiceOptions,
  type SluiceProcess,
} from '../../src/lab/sluice-process.ts';
import type { ProxyMode } from '../../src/model/config.ts';

/** What a command printed, and how it ended. */
export type Outcome = {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
};

export type NetworkNamespace = {
  readonly name: string;
  /** A folder of the test's own, readable for everybody. */
  readonly folder: string;
  /** Runs a tool in the namespace. */
  readonly exec: Exec;
  /** Runs a command of Sluice to its end; `before` may be a program that starts it. */
  readonly sluice: (args: readonly string[], before?: readonly string[]) => Promise<Outcome>;
  /** The same, running: its streams are there to be read. It is ended with the test. */
  readonly spawn: (args: readonly string[]) => SluiceChild;
  /** Starts `sluice run`. */
  readonly start: (options: SluiceOptions) => SluiceProcess;
};

export type SluiceChild = ResultPromise<typeof streamed>;

/** The two ways to program a kernel, for describe.each. */
export const modes: readonly ProxyMode[] = ['nftables', 'iptables'];

const collected = { reject: false, stripFinalNewline: false } as const;
const streamed = { reject: false, buffer: false, stdin: 'ignore' } as const;
const sluiceFile = fileURLToPath(new URL('../../bin/sluice', import.meta.url));
// What colours the output of the tests must not colour that of the commands.
const plain = ['env', '-u', 'FORCE_COLOR', '-u', 'NO_COLOR'];

/** Makes a namespace with a folder; both are gone when the test ends, also where it fails. */
export async function networkNamespace(): Promise<NetworkNamespace> {
  const name = `${await newLabName()}-test`;
  const folder = await mkdtemp(join(tmpdir(), 'sluice-test-'));
  onTestFinished(async () => {
    await deleteNamespaces(execOnHost, [name]);
    await rm(folder, { recursive: true, force: true });
  });
  await execOnHost('chmod', ['755', folder]);
  await createNamespaces(execOnHost, [name]);
  const inside = ['netns', 'exec', name];
  return {
    name,
    folder,
    exec: (file, args, options) => execOnHost('ip', [...inside, file, ...args], options),
    async sluice(args, before = []) {
      // A daemon that ends says why as it does at a terminal.
      const text = args[0] === 'run' ? ['--logging-format=text'] : [];
      const command = [...inside, ...plain, ...before, sluiceFile, ...args, ...text];
      const { exitCode, stdout, stderr } = await execa('ip', command, collected);
      return { exitCode, stdout, stderr };
    },
    spawn(args) {
      const child = execa('ip', [...inside, ...plain, sluiceFile, ...args], streamed);
      onTestFinished(async () => {
        child.kill('SIGKILL');
        await child;
      });
      return child;
    },
    start(options) {
      const state = ['--before-file', join(folder, 'state', 'before-takeover.json')];
      const sluice = startSluice(name, { ...options, flags: [...state, ...(options.flags ?? [])] });
      onTestFinished(() => sluice.stop());
      return sluice;
    },
  };
}

/** The flags that every command of the tests shares. */
export function flagsFor(mode: ProxyMode): readonly string[] {
  const ranges = '10.244.0.0/16,fd00:244::/32';
  const identity = ['--hostname-override', 'node-1'];
  return ['--proxy-mode', mode, '--cluster-cidr', ranges, ...identity, ...leavesHostAlone];
}

/** Puts `text` in place of the file by rename, so that no half-written one is ever read. */
export async function replaceFile(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}
