// What `run` does to a node besides its own rules was in the plan: of `diff`, of `run --dry-run`, in words and JSON.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Exec } from '../../src/host/tools/exec.ts';
import type { ProxyMode } from '../../src/model/config.ts';
import { flagsFor, modes, networkNamespace } from '../support/network-namespace.ts';
import type { NetworkNamespace } from '../support/network-namespace.ts';
import { loadKubeProxy, writeManifest } from './kube-proxy-node.ts';

type Json = {
  readonly inStep: boolean;
  readonly summary: {
    readonly services: Readonly<Record<'added' | 'changed' | 'removed', number>>;
    readonly rules: { readonly remove: number };
    readonly settings: number;
    readonly files: number;
  };
  readonly node: {
    readonly rulesets: readonly {
      readonly of: string;
      readonly family: string;
      readonly operations: readonly { readonly op: string; readonly id: string }[];
    }[];
    readonly settings: readonly { readonly name: string; readonly after: string }[];
    readonly files: readonly { readonly path: string }[];
  };
};

const backup = '/var/lib/sluice/before-takeover.json';

/** The plan of `diff` for programs; its words are those of `run --dry-run`. */
async function planOf(node: NetworkNamespace, mode: ProxyMode, manifests: string): Promise<Json> {
  const flags = ['--manifests', manifests, ...flagsFor(mode)];
  const words = await node.sluice(['diff', ...flags]);
  const dry = node.spawn([
    'run',
    '--dry-run',
    '--before-file',
    `${node.folder}/state/before-takeover.json`,
    ...flags,
  ]);
  const lines = dry.iterable({ from: 'stdout' })[Symbol.asyncIterator]();
  let first = '';
  while (!/^Services: /m.test(first)) first += `${(await lines.next()).value}\n`;
  dry.kill('SIGTERM');
  await dry;
  const same = first.replace(`${node.folder}/state`, '/var/lib/sluice').split('\n');
  const copies = same.find((line) => line.endsWith(': copies of the manifests, for a restart'));
  expect(copies === undefined).toBe(existsSync(`${node.folder}/state/manifests`));
  const others = same.filter((line) => line !== copies).map(withoutFiles);
  expect(others).toEqual(words.stdout.split('\n').map(withoutFiles));
  const { exitCode, stdout } = await node.sluice(['diff', '-o', 'json', ...flags]);
  const plan = JSON.parse(stdout) as Json;
  expect([words.exitCode, exitCode, plan.inStep]).toEqual([1, 1, false]);
  return plan;
}

// The copies are one file more.
function withoutFiles(line: string): string {
  return line.replace(/; files: \d to write$/, '');
}

function ownersIn({ node: { rulesets } }: Json): readonly string[] {
  return rulesets.map(({ of, family }) => `${of}, ${family}`);
}

async function valueOf(exec: Exec, name: string): Promise<string> {
  const { stdout } = await exec('cat', [`/proc/sys/${name.replaceAll('.', '/')}`]);
  return stdout.trim();
}

const moves = modes.flatMap((from) => modes.map((to) => [from, to] as const));

describe.each(moves)("on a node of kube-proxy's in %s mode, in %s mode", (from, to) => {
  test('all that run removes, sets and writes is in the plan', async () => {
    const node = await networkNamespace();
    await loadKubeProxy(node, from);
    const manifests = await writeManifest(node);
    const plan = await planOf(node, to, manifests);
    const isInPlace = from === 'iptables' && to === 'iptables';
    const theirs = `kube-proxy in ${from} mode`;
    expect(ownersIn(plan)).toEqual(isInPlace ? [] : [`${theirs}, IPv4`, `${theirs}, IPv6`]);
    expect(plan.node.files).toMatchObject([{ path: backup }]);
    const removed = plan.node.rulesets.flatMap(({ operations }) => operations);
    expect(plan.summary.rules.remove).toBeGreaterThanOrEqual(removed.length);
    const settings = new Map(plan.node.settings.map(({ name, after }) => [name, after]));
    expect(settings.get('net.ipv4.conf.all.route_localnet')).toBe(
      to === 'iptables' ? '1' : undefined,
    );

    const beforeFile = join(node.folder, 'before.json');
    const flags = ['--before-file', beforeFile];
    const sluice = node.start({ manifests, proxyMode: to, flags });
    await sluice.logged('in step', 0);
    await sluice.stop();
    expect((await node.exec('nft', ['list', 'tables'])).stdout).not.toContain('kube-proxy');
    for (const [name, after] of settings) expect(await valueOf(node.exec, name)).toBe(after);
    expect(JSON.parse(await readFile(beforeFile, 'utf8'))).toMatchObject({ version: 1 });
    const after = await node.sluice(['diff', '--manifests', manifests, ...flagsFor(to)]);
    expect([after.exitCode, after.stdout]).toEqual([0, '']);
  });
});

describe.each(modes)('where our rules of %s mode are', (from) => {
  test('those of the other mode take their place, which no Service notices', async () => {
    const node = await networkNamespace();
    await node.exec('ip', ['link', 'set', 'lo', 'up']);
    const manifests = await writeManifest(node);
    const first = node.start({ manifests, proxyMode: from });
    await first.logged('in step', 0);
    await first.stop();
    const to = modes.find((mode) => mode !== from) ?? from;
    const plan = await planOf(node, to, manifests);
    const ours = `Sluice in ${from} mode`;
    expect(ownersIn(plan)).toEqual([`${ours}, IPv4`, `${ours}, IPv6`]);
    expect(plan.summary.services).toEqual({ added: 0, changed: 0, removed: 0 });
    expect(plan.node.settings).toMatchObject([
      { name: 'net.ipv4.conf.all.route_localnet', after: to === 'iptables' ? '1' : '0' },
    ]);
    expect(plan.node.files).toEqual([]);

    const second = node.start({ manifests, proxyMode: to });
    await second.logged('in step', 0);
    await second.stop();
    const localnet = await valueOf(node.exec, 'net.ipv4.conf.all.route_localnet');
    expect(localnet).toBe(to === 'iptables' ? '1' : '0');
    const after = await node.sluice(['diff', '--manifests', manifests, ...flagsFor(to)]);
    expect([after.exitCode, after.stdout]).toEqual([0, '']);
  });
});
