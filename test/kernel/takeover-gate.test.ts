// `run` on a node whose rules do something else: it stops before any change, says what differs and by which flag it
// goes on; with the flag it does. `diff` and `run --dry-run` say so before.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { flagsFor, modes, networkNamespace, replaceFile } from '../support/network-namespace.ts';
import type { NetworkNamespace } from '../support/network-namespace.ts';
import { manifestOf } from '../support/service-objects.ts';
import { loadKubeProxy } from './kube-proxy-node.ts';

// Not what kube-proxy's rules were made from.
const manifest = manifestOf([{ name: 'other', ip: '10.96.77.77', endpoints: ['10.244.1.11'] }]);
const settings = 'net/netfilter/nf_conntrack_tcp_timeout_established';
const refusal =
  /^sluice: (\d+) of (\d+) packets would be handled differently than by the rules of kube-proxy in (\w+) mode$/m;

/** All that a start could change: rules, a setting, the backup. */
async function stateOf({ exec, folder }: NetworkNamespace): Promise<object> {
  const saved = await Promise.all(
    ['iptables-save', 'ip6tables-save'].map(async (tool) => (await exec(tool, [])).stdout),
  );
  return {
    tables: (await exec('nft', ['list', 'tables'])).stdout,
    rules: saved.map((text) => text.replaceAll(/^#.*$|\[\d+:\d+\]/gm, '')),
    localnet: (await exec('cat', ['/proc/sys/net/ipv4/conf/all/route_localnet'])).stdout,
    timeout: (await exec('cat', [`/proc/sys/${settings}`])).stdout,
    hasBackup: existsSync(join(folder, 'before.json')),
  };
}

const moves = modes.flatMap((from) => modes.map((to) => [from, to] as const));

describe.each(moves)("on a node of kube-proxy's in %s mode, in %s mode", (from, to) => {
  test('run stops before any change, and goes on with --accept-differences', async () => {
    const node = await networkNamespace();
    await loadKubeProxy(node, from);
    const manifests = join(node.folder, 'other.yaml');
    await replaceFile(manifests, manifest);
    const flags = ['--manifests', manifests, ...flagsFor(to)];
    const state = ['--before-file', join(node.folder, 'before.json')];
    const before = await stateOf(node);

    const diff = await node.sluice(['diff', ...flags]);
    expect(diff.exitCode).toBe(1);
    expect(diff.stderr).toMatch(
      /^sluice: run would not start: \d+ of \d+ packets would be handled/m,
    );
    const refused = await node.sluice(['run', ...state, ...flags]);
    expect(refused.exitCode).toBe(2);
    const [, differing = '', , mode] = refusal.exec(refused.stderr) ?? [];
    expect([Number(differing) > 100, mode]).toEqual([true, from]);
    expect(refused.stderr).toContain('--accept-differences starts all the same');
    expect(await stateOf(node)).toEqual(before);

    const more = [...state, '--accept-differences'];
    const sluice = node.start({ manifests, proxyMode: to, flags: more });
    await sluice.logged('in step', 0);
    await sluice.stop();
    expect(sluice.log.join('\n')).toContain('taking over, as --accept-differences is given');
    expect((await node.exec('nft', ['list', 'tables'])).stdout).not.toContain('kube-proxy');
  });
});
