// Node ports at 127.0.0.1 need a setting of the kernel: made with the rules, and said where it cannot be.
import { describe, expect, test } from 'vitest';
import { manifestDigest } from '../../src/lab/sluice-process.ts';
import { standWith, type Stand } from '../cli/stand.ts';
import { manifestOf } from '../support/service-objects.ts';

const text = manifestOf([{ name: 'web', ip: '10.96.0.1', endpoints: ['10.244.1.1'] }]);
const file = '/proc/sys/net/ipv4/conf/all/route_localnet';
const tag = '/proc/sys/net/ipv4/conf/all/tag';

// A view of /proc/sys that nobody can write to, as an unprivileged container has.
const readOnly = 'mount -o bind,ro /proc/sys /proc/sys && exec "$@"';
const unwritable = ['unshare', '-m', 'sh', '-c', readOnly, 'sh'];

async function setting({ exec }: Stand): Promise<string> {
  return (await exec('cat', [file])).stdout.trim();
}

describe('route_localnet', () => {
  test.each([
    ['iptables', [], '1'],
    ['iptables', ['--iptables-localhost-nodeports=false'], '0'],
    ['iptables', ['--nodeport-addresses', '192.168.0.0/16'], '0'],
    ['nftables', [], '0'],
  ] as const)('with %s and %j is %s', async (proxyMode, flags, expected) => {
    const stand = await standWith(proxyMode, text);
    const sluice = stand.start({ manifests: stand.manifests, proxyMode, flags });
    await sluice.inStep(manifestDigest(text));
    expect(await setting(stand)).toBe(expected);
  });

  test.each(['cleanup', 'run in nftables mode'])('is put back by %s', async (how) => {
    const stand = await standWith('iptables', text);
    const sluice = stand.start({ manifests: stand.manifests, proxyMode: 'iptables' });
    await sluice.inStep(manifestDigest(text));
    await sluice.stop();
    expect(await setting(stand)).toBe('1');
    if (how === 'cleanup') await stand.sluice(['cleanup', '--proxy-mode', 'iptables']);
    else {
      const other = stand.start({ manifests: stand.manifests, proxyMode: 'nftables' });
      await other.inStep(manifestDigest(text));
      await other.stop();
    }
    expect(await setting(stand)).toBe('0');
  });

  test('that was set before stays', async () => {
    const stand = await standWith('iptables', text);
    await stand.exec('sh', ['-c', `echo 1 > ${file}`]);
    const sluice = stand.start({ manifests: stand.manifests, proxyMode: 'iptables' });
    await sluice.inStep(manifestDigest(text));
    await sluice.stop();
    await stand.sluice(['cleanup', '--proxy-mode', 'iptables']);
    expect(await setting(stand)).toBe('1');
  });

  // A new network namespace may begin with the settings, and so the mark, of the first one.
  test.each(['7', '-268435456'])('is left to whoever set the tag %s', async (value) => {
    const stand = await standWith('iptables', text);
    await stand.exec('sh', ['-c', `echo ${value} > ${tag}`]);
    const sluice = stand.start({ manifests: stand.manifests, proxyMode: 'iptables' });
    await sluice.inStep(manifestDigest(text));
    await sluice.stop();
    const { stderr } = await stand.sluice(['cleanup', '--proxy-mode', 'iptables']);
    const removed = 'removed our rules of iptables mode';
    expect(stderr).toBe(`IPv4: ${removed}\nIPv6: ${removed}\n`);
    expect(await setting(stand)).toBe('1');
    expect((await stand.exec('cat', [tag])).stdout.trim()).toBe(value);
  });

  test.each(['before the first pass', 'cleanup'])(
    'that cannot be set is a warning: %s',
    async (when) => {
      const stand = await standWith('iptables', text);
      await stand.exec('ip', ['link', 'set', 'lo', 'up']);
      if (when === 'cleanup') {
        const sluice = stand.start({ manifests: stand.manifests, proxyMode: 'iptables' });
        await sluice.inStep(manifestDigest(text));
        await sluice.stop();
        const { exitCode, stderr } = await stand.sluice(
          ['cleanup', '--proxy-mode', 'iptables'],
          unwritable,
        );
        expect([exitCode, stderr]).toEqual([
          0,
          'IPv4: removed our rules of iptables mode\nIPv6: removed our rules of iptables mode\n' +
            `net.ipv4.conf.all.route_localnet=1 is left, which Sluice set: sh: 1: cannot create ${file}: Read-only file system\n`,
        ]);
        // What guards it is left too.
        const { stdout } = await stand.exec('iptables-save', ['-t', 'filter']);
        expect(stdout.split('\n').filter((line) => line.startsWith('-A '))).toEqual([
          '-A INPUT -j KUBE-FIREWALL',
          '-A OUTPUT -j KUBE-FIREWALL',
          '-A KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m comment --comment "block incoming localnet connections" -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP',
        ]);
        return;
      }
      const sluice = stand.start({
        manifests: stand.manifests,
        proxyMode: 'iptables',
        startedBy: unwritable,
      });
      await sluice.inStep(manifestDigest(text));
      const warnings = sluice.log
        .map((line) => JSON.parse(line))
        .filter(({ setting }) => String(setting).includes('route_localnet'));
      expect(warnings.map(({ time: _time, ...warning }) => warning)).toEqual([
        {
          level: 'warn',
          setting: 'net.ipv4.conf.all.route_localnet',
          value: 1,
          error: `sh: 1: cannot create ${file}: Read-only file system`,
          msg:
            'node ports do not answer at 127.0.0.1: set net.ipv4.conf.all.route_localnet=1 on this node ' +
            '(a container must be privileged for that), or iptables.localhostNodePorts: false in the configuration',
        },
      ]);
      expect(await setting(stand)).toBe('0');
      // As if it were configured so.
      const { stdout: rules } = await stand.exec('iptables-save', []);
      expect(rules).not.toContain('block incoming localnet connections');
      const { stdout } = await stand.exec('curl', ['-s', '127.0.0.1:10249/configz']);
      const { 'kubeproxy.config.k8s.io': configz } = JSON.parse(stdout);
      expect(configz.iptables.localhostNodePorts).toBe(false);
    },
  );
});
