// What Sluice must do with whichever nft or iptables a node has, from its start to its clean-up: on the
// first node of a lab, with real requests. Needs root.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import type { ExecResult } from '../../src/host/tools/exec.ts';
import { ask, type Question, questions } from '../../src/lab/demo.ts';
import { createLab, type Lab } from '../../src/lab/lab.ts';
import { manifestDigest, type SluiceProcess } from '../../src/lab/sluice-process.ts';
import type { ProxyMode } from '../../src/model/config.ts';
import { flagsFor, replaceFile } from '../support/network-namespace.ts';

/** A program and its arguments. */
type Command = readonly [file: string, ...args: string[]];

/** A node's tools, and how Sluice uses them. */
export type Node = {
  readonly proxyMode: ProxyMode;
  /** The folder of the tools. */
  readonly path: string;
  readonly flags?: readonly string[];
  /** What is done on the node before. */
  readonly before?: readonly Command[];
  /** What the log says where these tools are in use. */
  readonly finding: string;
  /** A change of our rules that the kernel tells; without it none is made. */
  readonly drift?: Command;
};

type Stand = Node & { readonly lab: Lab; readonly manifests: string };

const example = await readFile('manifests/examples/services.yaml', 'utf8');
// The example's Service without endpoints gets one.
const changed = `${example}---\n${stringify({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: {
    name: 'empty-1',
    namespace: 'demo',
    labels: { 'kubernetes.io/service-name': 'empty' },
  },
  addressType: 'IPv4',
  ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
  endpoints: [{ addresses: ['10.244.2.11'], nodeName: 'node-2' }],
})}`;
const answered = questions
  .filter(({ service }) => service === 'empty')
  .map((question): Question => ({ ...question, expected: ['p21'] }));

// What the kernel does not tell is not found meanwhile.
const withoutAudits = ['--iptables-sync-period', '1h'];

/**
 * Sluice starts, every Service of the example answers, a changed manifest and a change that another program
 * made are followed, `verify` finds every rule, and `cleanup` leaves none.
 */
export async function expectServing(node: Node): Promise<void> {
  const stand = await standFor(node);
  const { lab, proxyMode } = stand;
  const untouched = await rulesOn(lab);
  const flags = [...(stand.flags ?? []), ...withoutAudits];
  const sluice = lab.startSluice({ ...stand, flags });
  await sluice.inStep(manifestDigest(example));
  expect(sluice.log.join('\n')).toContain(node.finding);
  // What goes wrong is logged with its error.
  expect(sluice.log.filter((line) => line.includes('"err":'))).toEqual([]);
  await expectAnswers(lab, questions);
  await replaceFile(stand.manifests, changed);
  await sluice.inStep(manifestDigest(changed));
  await expectAnswers(lab, answered);
  if (node.drift !== undefined) await expectRepair(stand, sluice, node.drift);
  const manifests = ['--manifests', stand.manifests];
  expect(await run(stand, ['verify', ...flagsFor(proxyMode), ...manifests])).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/^IPv4: all \d+ .*; IPv6: all \d+ .*\n$/) as string,
  });
  await sluice.stop();
  expect((await run(stand, ['cleanup', '--proxy-mode', proxyMode])).exitCode).toBe(0);
  expect(await rulesOn(lab)).toEqual(untouched);
}

async function standFor(node: Node): Promise<Stand> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-serving-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const manifests = join(folder, 'services.yaml');
  await replaceFile(manifests, example);
  const lab = await createLab();
  onTestFinished(() => lab.close());
  for (const command of node.before ?? []) await lab.exec('n1', command);
  return { ...node, lab, manifests };
}

/** Every question of the demonstration is answered as expected. */
async function expectAnswers(lab: Lab, asked: readonly Question[]): Promise<void> {
  for (const question of asked) {
    expect(await ask(lab, question)).toMatchObject({ isAsExpected: true });
  }
}

async function expectRepair({ lab }: Stand, sluice: SluiceProcess, drift: Command): Promise<void> {
  const from = sluice.log.length;
  await lab.exec('n1', drift);
  await sluice.logged('somebody changed our rules: repaired', from);
}

/** Runs a command of Sluice on the node, with the node's tools. */
function run({ lab, path }: Stand, args: readonly string[]): Promise<ExecResult> {
  const command = ['bin/sluice', ...args];
  return lab.exec('n1', ['env', `PATH=${path}:${process.env['PATH']}`, ...command], {
    allowedExitCodes: [1, 2],
  });
}

// Stays, as it is the kubelet's too.
const kubelets = /KUBE-FIREWALL/;
// iptables-nft leaves its tables behind, with the built-in chains alone.
const builtIn = /^table ip6? (raw|mangle|nat|filter)$/;

/** What this machine's own tools list on the node: rules, chains and tables that somebody made. */
async function rulesOn(lab: Lab): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const tool of ['iptables-nft', 'ip6tables-nft', 'iptables-legacy', 'ip6tables-legacy']) {
    const { stdout } = await lab.exec('n1', [`${tool}-save`]);
    lines.push(...stdout.split('\n').filter((line) => /^(-A|:\S+ -)/.test(line)));
  }
  const { stdout } = await lab.exec('n1', ['nft', 'list', 'tables']);
  lines.push(...stdout.split('\n').filter((line) => line !== '' && !builtIn.test(line)));
  return lines.filter((line) => !kubelets.test(line));
}
