// Nodes with both of the programs that are called iptables, and the lock of the legacy one, in real kernels.
import { once } from 'node:events';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createIptablesBackend } from '../../src/backends/iptables/backend.ts';
import type { Exec } from '../../src/host/tools/exec.ts';
import { findLockHolders } from '../../src/host/netfilter/xtables-lock.ts';
import { plan } from '../../src/netfilter/plan.ts';
import { expectWorking, webRules } from '../support/iptables-web.ts';
import { networkNamespace } from '../support/network-namespace.ts';
import { variants } from '../support/one-variant.ts';
import { savedThen } from '../unit/backends/iptables/kube-proxy-node.ts';

test('who holds the lock of the legacy iptables is named when waiting was in vain', async () => {
  const { exec: inside, folder } = await networkNamespace();
  const file = join(folder, 'xtables.lock');
  const exec: Exec = (tool, args, options) =>
    tool.startsWith('ip')
      ? inside('env', [`XTABLES_LOCKFILE=${file}`, legacy(tool), ...args], options)
      : inside(tool, args, options);
  const backend = createIptablesBackend(exec, () => findLockHolders(file));
  const holder = execa('flock', [file, '-c', 'echo locked; exec sleep infinity'], {
    reject: false,
    detached: true,
  });
  onTestFinished(async () => {
    if (holder.pid !== undefined) process.kill(-holder.pid);
    await holder;
  });
  await once(holder.stdout, 'data');
  await expect(backend.apply('IPv4', plan(new Map(), webRules))).rejects.toThrow(
    `waited 5 s for the xtables lock in vain; it is held by flock (pid ${holder.pid})`,
  );
}, 20_000);

describe('where both variants are installed', () => {
  const kubelets = '*mangle\n:KUBE-KUBELET-CANARY - [0:0]\n:KUBE-IPTABLES-HINT - [0:0]\nCOMMIT\n';
  const cases = variants.map((variant) => ({
    variant,
    other: variant === 'nft' ? 'legacy' : 'nft',
    called: variant === 'nft' ? 'nf_tables' : 'legacy',
  }));

  test.each(cases)(
    "$variant serves where the kubelet is there; kube-proxy's in $other are named, and go",
    async ({ variant, other, called }) => {
      const { exec } = await networkNamespace();
      await exec(`iptables-${variant}-restore`, ['--noflush'], { input: kubelets });
      await exec(`iptables-${other}-restore`, ['--noflush'], { input: savedThen('IPv4') });
      const backend = createIptablesBackend(exec);
      const { findings } = await backend.probe();
      expect(findings[0]).toMatch(new RegExp(`^iptables .*\\(${called}\\): the kubelet has KUBE-`));
      const leftover = `IPv4: iptables-${other} has chains of kube-proxy's or Sluice's as well (`;
      const [command = ''] = findings.flatMap((finding) =>
        finding.startsWith(leftover) ? (finding.split('remove them with: ')[1] ?? '') : [],
      );
      await expectWorking(backend);
      const { stdout } = await exec(`iptables-${variant}-save`, []);
      expect(stdout).toContain(':KUBE-SERVICES');

      await exec('sh', ['-c', command]);
      expect((await backend.probe()).findings).toHaveLength(1);
      const rest = (await exec(`iptables-${other}-save`, [])).stdout;
      expect(rest).toContain('-A INPUT -j KUBE-FIREWALL');
      expect(rest).not.toMatch(/KUBE-(SERVICES|PROXY|SVC|SEP|MARK-MASQ)/);
      expect(plan(await backend.observe('IPv4'), webRules)).toEqual([]);
    },
  );

  test('with no rules anywhere it is nft', async () => {
    const { exec } = await networkNamespace();
    const backend = createIptablesBackend(exec);
    expect((await backend.probe()).findings[0]).toContain('(nf_tables): neither variant had rules');
    await expectWorking(backend);
    expect((await exec('iptables-legacy-save', [])).stdout).toBe('');
  });

  test('`sluice cleanup` removes those of both', async () => {
    const { exec, sluice } = await networkNamespace();
    await exec('iptables-nft-restore', ['--noflush'], { input: kubelets });
    for (const variant of variants) {
      await exec(`iptables-${variant}-restore`, ['--noflush'], { input: savedThen('IPv4') });
    }
    const site = '*nat\n:SITE - [0:0]\n-A SITE -j KUBE-MARK-MASQ\nCOMMIT\n';
    await exec('iptables-legacy-restore', ['--noflush'], { input: site });
    expect(await sluice(['cleanup', '--proxy-mode', 'iptables'])).toEqual({
      exitCode: 0,
      stdout: '',
      stderr:
        'IPv4: removed our rules of iptables mode\n' +
        'IPv4: nat KUBE-MARK-MASQ is left, empty: SITE leads there\nIPv6: nothing of ours\n',
    });
    for (const variant of variants) {
      const { stdout } = await exec(`iptables-${variant}-save`, []);
      expect(stdout).not.toMatch(/KUBE-(SERVICES|PROXY|SVC|SEP)/);
      expect(stdout).toContain('KUBE-FIREWALL');
    }
  });
});

function legacy(tool: string): string {
  return tool.replace(/^(ip6?tables)/, '$1-legacy');
}
