// `sluice explain --live`: real packets, followed through all rules of a network namespace.
import { describe, expect, test } from 'vitest';
import { debianTools } from '../support/debian-tools.ts';
import { modes, type NetworkNamespace } from '../support/network-namespace.ts';
import { nodeWithRules } from './explain-stand.ts';
import type { Stand } from './stand.ts';

describe.each(modes)('with %s', (mode) => {
  test('follows a real packet to its endpoint', async () => {
    const { stand } = await nodeWithRules(mode);
    const { exitCode, stdout } = await live(stand, 'node', 'web/shop');
    const from = '192.168.10.11';
    expect(stdout).toContain(`  let through, as ${from} -> 10.244.2.11:8080\n`);
    expect(stdout).toMatch(/conntrack: tcp .*dst=10\.96\.0\.10 .*src=10\.244\.2\.11 /);
    expect(stdout.trimEnd().split('\n').at(-1)).toBe('  as explained');
    expect(exitCode).toBe(0);
    expect(await tables(stand)).not.toContain('sluice-trace');
  });

  test('follows UDP over IPv6', async () => {
    const { stand } = await nodeWithRules(mode);
    const { exitCode, stdout } = await live(stand, 'node', 'web/dns');
    expect(stdout).toContain('  let through, as fd00:10::11 -> [fd00:244:2::53]:5353\n');
    expect(stdout).toMatch(/conntrack: udp .*dst=fd00:96::53 .*src=fd00:244:2::53 /);
    expect([exitCode, stdout.trimEnd().split('\n').at(-1)]).toEqual([0, '  as explained']);
  });

  test('names the foreign rule that drops it', async () => {
    const { stand } = await nodeWithRules(mode);
    const chain = 'chain guard { type filter hook output priority 10; policy accept;';
    const rule = 'tcp dport 8080 counter drop comment "no shops"';
    await stand.exec('nft', ['-f', '-'], {
      input: `table inet firewall {\n${chain}\n${rule}\n}\n}\n`,
    });
    const { exitCode, stdout } = await live(stand, 'node', 'web/shop');
    expect(stdout).toMatch(
      /dropped by table inet firewall, chain guard: rule tcp dport 8080 .*drop comment "no shops", which belongs to another program/,
    );
    expect(stdout).toContain('  conntrack: no entry\n  not as explained\n');
    expect(exitCode).toBe(1);
    const json = JSON.parse((await live(stand, 'node', 'web/shop', ['-o', 'json'])).stdout) as {
      live: { end: unknown };
    };
    expect(json.live.end).toMatchObject({
      kind: 'dropped',
      by: { family: 'inet', table: 'firewall', chain: 'guard' },
    });
    expect(await tables(stand)).toContain('table inet firewall');
    expect(await tables(stand)).not.toContain('sluice-trace');
  });

  test('names what refuses it: our own rule, and a rule of iptables', async () => {
    const { stand } = await nodeWithRules(mode);
    const refused = await live(stand, 'node', 'web/idle');
    expect(refused.stdout).toMatch(/refused by table ip (sluice|filter), chain .*reject/);
    expect(refused.stdout.trimEnd()).toMatch(/as explained$/);
    expect(refused.exitCode).toBe(0);
    await stand.exec('iptables', ['-A', 'OUTPUT', '-d', '10.244.2.11', '-j', 'REJECT']);
    const { exitCode, stdout } = await live(stand, 'node', 'web/shop');
    expect(stdout).toMatch(
      /refused by table ip filter, chain OUTPUT: rule ip daddr 10\.244\.2\.11 .*which belongs to another program/,
    );
    expect(exitCode).toBe(1);
  });

  test.each([
    ['KUBE-FIREWALL', 'kubelet'],
    ['KUBE-POD-FW-XXRIZ3VIC2LXKRLA', 'kube-router'],
  ])('says whose the chain %s is that drops it', async (chain, owner) => {
    const { stand } = await nodeWithRules(mode);
    // In iptables mode our own rule is in the kubelet's chain already.
    await stand.exec('iptables', ['-N', chain], { allowedExitCodes: [0, 1] });
    await stand.exec('iptables', ['-A', chain, '-d', '10.244.2.11', '-j', 'DROP']);
    await stand.exec('iptables', ['-I', 'OUTPUT', '-j', chain]);
    const { exitCode, stdout } = await live(stand, 'node', 'web/shop');
    const dropped = stdout.split('\n').filter((line) => line.startsWith('  dropped by '));
    expect(dropped.map((line) => line.replace(/ counter packets \d+ bytes \d+/, ''))).toEqual([
      `  dropped by table ip filter, chain ${chain}: rule ip daddr 10.244.2.11 drop, which belongs to ${owner}`,
    ]);
    expect(exitCode).toBe(1);
  });

  test('waits for a packet of somebody else, and takes its source from it', async () => {
    const { stand, client } = await nodeWithRules(mode);
    const waiting = stand.spawn(['explain', 'outside', '10.96.0.10:80', ...stand.flags, '--live']);
    let printed = '';
    waiting.stdout?.on('data', (piece: Buffer) => (printed += piece.toString('utf8')));
    for await (const line of waiting.iterable({ from: 'stderr' })) {
      if (!line.startsWith('waiting for')) continue;
      expect(line).toBe('waiting for anybody -> tcp 10.96.0.10:80; Ctrl-C ends');
      await client.exec('curl', ['-s', '--max-time', '2', 'http://10.96.0.10/'], {
        allowedExitCodes: [7, 28],
      });
    }
    const { exitCode } = await waiting;
    expect(printed).toContain(
      '192.168.10.99 -> tcp 10.96.0.10:80 for Service web/shop:http: forwarded',
    );
    expect(printed).toContain('  let through, as 192.168.10.11 -> 10.244.2.11:8080\n');
    expect([exitCode, printed.trimEnd().split('\n').at(-1)]).toEqual([0, '  as explained']);
  });

  test.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)(
    'leaves nothing after %s',
    async (signal) => {
      const { stand } = await nodeWithRules(mode);
      const before = await tables(stand);
      const waiting = stand.spawn([
        'explain',
        '192.168.10.99',
        '10.96.0.10:80',
        ...stand.flags,
        '--live',
      ]);
      for await (const line of waiting.iterable({ from: 'stderr' })) {
        if (!line.startsWith('waiting for')) continue;
        expect(await tables(stand)).toContain('table ip sluice-trace');
        waiting.kill(signal);
        break;
      }
      const { exitCode } = await waiting;
      // What it owned ends with nft, which ends with it.
      await expect.poll(() => tables(stand), { timeout: 30_000 }).toBe(before);
      if (signal !== 'SIGKILL') expect(exitCode).toBe(1);
    },
  );
});

test('follows a packet with the nft of Debian 13', async () => {
  const { stand } = await nodeWithRules('nftables');
  const path = `PATH=${await debianTools('trixie')}:${process.env['PATH']}`;
  const asked = ['explain', 'node', 'web/shop', ...stand.flags, '--live'];
  const { exitCode, stdout, stderr } = await stand.sluice(asked, ['env', path]);
  expect(stderr).toBe('');
  expect(stdout).toContain('  let through, as 192.168.10.11 -> 10.244.2.11:8080\n');
  expect(exitCode).toBe(0);
});

test('says of iptables-legacy that no trace shows its rules', async () => {
  const { stand } = await nodeWithRules('iptables', [
    'iptables-legacy',
    '-t',
    'mangle',
    '-N',
    'KUBE-IPTABLES-HINT',
  ]);
  const { exitCode, stdout } = await live(stand, 'node', 'web/shop');
  expect(stdout).toContain('the rules here are those of iptables-legacy: no trace shows them');
  expect(stdout).toContain('  let through, as 192.168.10.11 -> 10.244.2.11:8080\n');
  expect([exitCode, stdout.trimEnd().split('\n').at(-1)]).toEqual([0, '  as explained']);
});

async function live(
  stand: Stand,
  from: string,
  to: string,
  flags: readonly string[] = [],
): ReturnType<Stand['sluice']> {
  return stand.sluice(['explain', from, to, ...stand.flags, '--live', ...flags]);
}

async function tables({ exec }: NetworkNamespace): Promise<string> {
  return (await exec('nft', ['list', 'tables'])).stdout;
}
