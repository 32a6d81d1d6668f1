// A scenario folder as data: cluster.yaml and flags in, everything that the tests compare out.
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { createIptablesBackend } from '../../src/backends/iptables/backend.ts';
import { createNftablesBackend } from '../../src/backends/nftables/backend.ts';
import type { Backend } from '../../src/backends/backend.ts';
import { parseArgs } from '../../src/cli/arguments/args.ts';
import { readManifests } from '../../src/cluster/manifests/manifests.ts';
import { configFromFlags } from '../../src/config/config.ts';
import type { Exec } from '../../src/host/tools/exec.ts';
import type { Config, ProxyMode } from '../../src/model/config.ts';
import type { Family, Ip } from '../../src/model/ip.ts';
import { families } from '../../src/model/ip.ts';
import type { ClusterObject } from '../../src/model/kubernetes.ts';
import { plan } from '../../src/netfilter/plan.ts';
import type { Unit } from '../../src/netfilter/program.ts';
import { desiredOf } from '../../src/sync/offline.ts';
import { hostIpsOf } from '../support/ruleset.ts';

/** One line of packets.yaml: what becomes of a connection, in every backend or in each. */
export type PacketRow = {
  /** `pod|node|outside ADDRESS [by INTERFACE]` */
  readonly from: string;
  /** `PROTOCOL ADDRESS PORT` */
  readonly to: string;
  readonly answer: readonly string[] | Readonly<Record<ProxyMode, readonly string[]>>;
};

export type Scenario = {
  readonly objects: readonly ClusterObject[];
  /** What node-1 has on its interfaces. */
  readonly hostIps: readonly Ip[];
  readonly packets: readonly PacketRow[];
  readonly config: (mode: ProxyMode) => Config;
};

const baseFlags = ['--cluster-cidr=10.244.0.0/16,fd00:244::/32', '--hostname-override=node-1'];

/** Reads the folder; a manifest with a fault is an error here. */
export async function readScenario(folder: string): Promise<Scenario> {
  const { objects, problems } = await readManifests(join(folder, 'cluster.yaml'));
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  const flagsFile = join(folder, 'flags');
  const flags = existsSync(flagsFile) ? readFileSync(flagsFile, 'utf8').split('\n') : [];
  const packets = parse(readFileSync(join(folder, 'packets.yaml'), 'utf8')) as PacketRow[];
  const config = (mode: ProxyMode): Config => {
    const given = flags.filter((flag) => flag !== '');
    const args = parseArgs(['render', ...baseFlags, `--proxy-mode=${mode}`, ...given]);
    return configFromFlags(args.values, 'node-1');
  };
  const all = [...objects.values()];
  return { objects: all, hostIps: hostIpsOf(all, 'node-1'), packets, config };
}

const noTools: Exec = (file) => Promise.reject(new Error(`a scenario runs no tool, not ${file}`));

/** The folders of all scenarios, by their names. */
export const scenarioNames: readonly string[] = globSync('*/cluster.yaml', {
  cwd: import.meta.dirname,
})
  .map((file) => dirname(file))
  .toSorted();

export const iptables = createIptablesBackend(noTools);
export const nftText = createNftablesBackend(noTools, 'text');
export const nftJson = createNftablesBackend(noTools, 'json');

/** What one family's tool is told: the rules of a node without a Service, and then the golden. */
export type Inputs = { readonly base: string; readonly golden: string };

/** The golden is the transaction that brings the scenario to a node that has no Service yet. */
export function transactions<U extends Unit>(
  backend: Backend<U>,
  scenario: Scenario,
): Readonly<Record<Family, Inputs>> {
  const { objects } = scenario;
  const from = {
    config: scenario.config(backend.name),
    families,
    hostIps: (): readonly Ip[] => scenario.hostIps,
  };
  const surroundings = objects.filter(({ kind }) => kind === 'Node' || kind === 'ServiceCIDR');
  const empty = desiredOf(backend, surroundings, from);
  const full = desiredOf(backend, objects, from);
  const encoded = full.map(({ family, desired }, index) => {
    const before = empty[index]?.desired.whole() ?? new Map<string, U>();
    const base = backend.encode(family, plan(new Map(), before));
    return [family, { base, golden: backend.encode(family, plan(before, desired.whole())) }];
  });
  return Object.fromEntries(encoded) as Record<Family, Inputs>;
}
