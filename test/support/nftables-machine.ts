// A network namespace with an nft of one version or another, and our backend on it.
import { join } from 'node:path';
import type { Backend } from '../../src/backends/backend.ts';
import { createNftablesBackend } from '../../src/backends/nftables/backend.ts';
import { familyWords } from '../../src/backends/nftables/schema.ts';
import type { NftUnit } from '../../src/backends/nftables/unit.ts';
import type { Exec } from '../../src/host/tools/exec.ts';
import type { Config } from '../../src/model/config.ts';
import type { Family, Ip } from '../../src/model/ip.ts';
import type { ClusterObject } from '../../src/model/kubernetes.ts';
import { plan } from '../../src/netfilter/plan.ts';
import type { Program } from '../../src/netfilter/program.ts';
import { desiredOf } from '../../src/sync/offline.ts';
import { configFor } from './config.ts';
import { debianTools } from './debian-tools.ts';
import { nftRules } from './kernel-rules.ts';
import type { NetworkNamespace } from './network-namespace.ts';
import { networkNamespace } from './network-namespace.ts';
import { recording, type RecordingExec } from './recording-exec.ts';

/** How an nft is written to: this machine's in its own language, Debian 13's in JSON. */
export type Input = 'text' | 'json';

export type Machine = {
  readonly namespace: NetworkNamespace;
  readonly backend: Backend<NftUnit>;
  readonly config: Config;
  readonly recorder: RecordingExec;
  /** Everything in our table, whoever put it there. */
  readonly table: (family: Family) => Promise<string>;
};

/** The node's own addresses, in both families. */
export const hostIps = ['192.168.0.2', 'fd00:192::2', '127.0.0.1', '::1'] as Ip[];

/** The nft that takes an encoding, on a namespace; a new one unless told. */
export async function machine(input: Input, namespace?: NetworkNamespace): Promise<Machine> {
  const place = namespace ?? (await networkNamespace());
  const folder = input === 'json' ? await debianTools('trixie') : undefined;
  const exec: Exec = (file, args, options) =>
    place.exec(folder === undefined || file !== 'nft' ? file : join(folder, file), args, options);
  const recorder = recording(exec);
  const backend = createNftablesBackend(recorder.exec, input);
  await backend.probe();
  recorder.take();
  return {
    namespace: place,
    backend,
    config: configFor('nftables', ['--nft-input', input]),
    recorder,
    table: (family) => nftRules(exec, ['table', familyWords[family].table, 'sluice']),
  };
}

/** What the kernel should hold for these objects. */
export function wanted(
  { backend, config }: Pick<Machine, 'backend' | 'config'>,
  family: Family,
  objects: Iterable<ClusterObject>,
): Program<NftUnit> {
  const from = { config, families: [family], hostIps: () => hostIps };
  const [of] = desiredOf(backend, objects, from);
  return of?.desired.whole() ?? new Map();
}

/** Makes the kernel hold this, from whatever it holds. */
export async function load(
  { backend }: Pick<Machine, 'backend'>,
  family: Family,
  whole: Program<NftUnit>,
): Promise<void> {
  await backend.apply(family, plan(await backend.observe(family), whole));
}

/** What of units is compared: whose they are is no matter of the kernel's. */
export function texts(program: Program<NftUnit>): readonly string[] {
  return [...program.values()].map(({ text }) => text).toSorted();
}
