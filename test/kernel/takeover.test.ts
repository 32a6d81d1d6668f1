// A node of kube-proxy's is taken over and given back, on real rules of kube-proxy's in both modes.
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ProxyMode } from '../../src/model/config.ts';
import type { NetworkNamespace } from '../support/network-namespace.ts';
import { flagsFor, modes, networkNamespace } from '../support/network-namespace.ts';
import { iptablesRules, nftRules } from '../support/kernel-rules.ts';
import { loadKubeProxy, writeManifest } from './kube-proxy-node.ts';

async function kubeProxyRules({ exec }: NetworkNamespace): Promise<string> {
  const listed = await exec('nft', ['-j', 'list', 'tables']);
  const saved = await exec('iptables-save', []);
  const chains = saved.stdout
    .split('\n')
    .filter((line) => /^:KUBE-(SVC|SEP|EXT|SERVICES)/.test(line));
  return JSON.stringify({ tables: listed.stdout.includes('kube-proxy'), chains: chains.length });
}

/** All of it, in order; but the jump to the kubelet's chain stays, below those that come back. */
async function wholeRules({ exec }: NetworkNamespace, mode: ProxyMode): Promise<string> {
  if (mode === 'nftables') return nftRules(exec, ['table', 'ip', 'kube-proxy']);
  return (await iptablesRules(exec)).replaceAll(/^-A \S+ -j KUBE-FIREWALL\n/gm, '');
}

const moves = modes.flatMap((from) => modes.map((to) => [from, to] as const));

describe.each(moves)('from kube-proxy in %s mode to ours in %s mode', (from, to) => {
  test('shadow changes nothing, takeover leaves only ours, rollback only theirs', async () => {
    const node = await networkNamespace();
    await loadKubeProxy(node, from);
    const manifests = await writeManifest(node);
    const beforeFile = join(node.folder, 'before.json');
    const flags = ['--manifests', manifests, '--before-file', beforeFile, ...flagsFor(to)];
    const rulesBefore = await kubeProxyRules(node);
    const allBefore = await wholeRules(node, from);

    const shadow = await node.sluice(['takeover', '--shadow', ...flags]);
    expect(shadow.stderr).not.toContain('sluice: ');
    expect(shadow.exitCode).toBeLessThan(2);
    expect(shadow.stdout).toContain(`IPv4: rules of kube-proxy in ${from} mode against ours`);
    expect(await kubeProxyRules(node)).toBe(rulesBefore);

    const takeover = await node.sluice(['takeover', '--accept-differences', ...flags]);
    expect(takeover.stderr).toContain('taken over');
    expect(takeover.exitCode).toBe(0);
    // Settings of the kernel are left to run.
    const diff = await node.sluice([
      'diff',
      '--manifests',
      manifests,
      '-o',
      'json',
      ...flagsFor(to),
    ]);
    expect(JSON.parse(diff.stdout)).toMatchObject({ operations: [], node: { rulesets: [] } });
    const rulesBetween = JSON.parse(await kubeProxyRules(node)) as {
      tables: boolean;
      chains: number;
    };
    expect(rulesBetween.tables).toBe(false);
    if (to === 'nftables') expect(rulesBetween.chains).toBe(0);

    const rollback = await node.sluice(['rollback', '--before-file', beforeFile]);
    expect(rollback.stderr).toContain('this node is as it was');
    expect(rollback.exitCode).toBe(0);
    expect(await kubeProxyRules(node)).toBe(rulesBefore);
    expect(await wholeRules(node, from)).toBe(allBefore);
    const again = await node.sluice(['rollback', '--before-file', beforeFile]);
    expect(again.exitCode).toBe(2);
    expect(again.stderr).toContain('no takeover has left anything');
  });
});

describe.each(moves)('run in %s mode, then in %s mode', (from, to) => {
  test('leaves the rules of its own mode alone', async () => {
    const node = await networkNamespace();
    if (from === to) await loadKubeProxy(node, from === 'nftables' ? 'iptables' : 'nftables');
    const manifests = await writeManifest(node);
    const owners: string[] = [];
    for (const mode of [from, to]) {
      const more = ['--before-file', join(node.folder, 'before.json')];
      const sluice = node.start({ manifests, proxyMode: mode, flags: more });
      await sluice.logged('in step', 0);
      await sluice.stop();
      const diff = await node.sluice(['diff', '--manifests', manifests, ...flagsFor(mode)]);
      expect([diff.exitCode, diff.stdout]).toEqual([0, '']);
      owners.push(await kubeProxyRules(node));
    }
    const left = owners.map((text) => JSON.parse(text) as { tables: boolean; chains: number });
    expect(left.map(({ tables }) => tables)).toEqual([false, false]);
    expect(left.map(({ chains }) => chains > 0)).toEqual([from === 'iptables', to === 'iptables']);
  });
});
