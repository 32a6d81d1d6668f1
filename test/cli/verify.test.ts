// `sluice verify`: what stands in a real kernel against what the manifests say, and what real connections meet.
import { once } from 'node:events';
import { execa } from 'execa';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { manifestOf } from '../support/service-objects.ts';
import { modes } from '../support/network-namespace.ts';
import { apply, standWith, type Stand } from './stand.ts';

const services = [
  { name: 'web', ip: '10.96.0.10', endpoints: ['10.244.1.1', '10.244.1.2'] },
  { name: 'idle', ip: '10.96.0.11', endpoints: [] },
];
const manifest = manifestOf(services);

type Json = {
  readonly isTrue: boolean;
  readonly findings: readonly {
    readonly service: string | null;
    readonly effects: readonly string[];
    readonly units: readonly { readonly wrong: string; readonly id: string }[];
  }[];
  readonly probes: readonly {
    readonly ip: string;
    readonly said: string;
    readonly met: string;
    readonly judgement: string;
    readonly deadEndpoints: readonly string[];
  }[];
};

describe.each(modes)('with %s', (mode) => {
  let stand: Stand;
  beforeEach(async () => {
    stand = await standWith(mode, manifest);
    await apply(stand, mode, manifest);
  });

  const verify = (...more: readonly string[]) => stand.sluice(['verify', ...stand.flags, ...more]);

  test('a kernel that matches', async () => {
    expect(await verify()).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^IPv4: all \d+ match; IPv6: all \d+ match\n$/) as string,
    });
  });

  test('nothing is there', async () => {
    await stand.sluice(['cleanup', ...stand.flags.slice(0, -2)]);
    const { exitCode, stdout } = await verify();
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^what all Services share\n {2}missing: IPv4 /);
    expect(stdout).toContain('default/web\n  effect: default/web: removed, at 10.96.0.10:80/tcp');
  });

  test('no manifests, no daemon, no cluster: it fails, and says why', async () => {
    const missing = await stand.sluice(['verify', '--manifests', '/nowhere']);
    expect(missing).toMatchObject({ exitCode: 2, stdout: '' });
    expect(missing.stderr).toContain('/nowhere');
    const nobody = await stand.sluice(['verify', '--daemon', 'http://127.0.0.1:1']);
    expect(nobody).toMatchObject({ exitCode: 2, stdout: '' });
  });

  test('a running daemon says what is expected', async () => {
    await stand.exec('ip', ['link', 'set', 'lo', 'up']);
    // Each flag changes the rules, and is the daemon's alone.
    const flags = ['--masquerade-all', '--nodeport-addresses', '192.0.2.0/24'];
    const sluice = stand.start({ manifests: stand.manifests, proxyMode: mode, flags });
    await sluice.logged('in step', 0);
    const at = 'http://127.0.0.1:10247';
    const named = await stand.sluice(['verify', '--daemon', at]);
    expect(named).toMatchObject({ exitCode: 0, stderr: '' });
    const stderr = `note: configuration and objects of the daemon at ${at}\n`;
    expect(await stand.sluice(['verify'])).toMatchObject({ exitCode: 0, stderr });
    expect(await stand.sluice(['diff'])).toEqual({ exitCode: 0, stdout: '', stderr });
    const explained = await stand.sluice(['explain', '10.244.2.9', '10.96.0.10:80', '-o', 'json']);
    expect(JSON.parse(explained.stdout)).toMatchObject({
      mode,
      verdict: 'forwarded',
      ends: [{ after: { source: 'node' } }, { after: { source: 'node' } }],
    });
  });

  test('every address is opened, and endpoints that do not answer are named', async () => {
    const inside = stand.exec;
    await inside('ip', ['link', 'set', 'lo', 'up']);
    await inside('ip', ['address', 'add', '10.244.1.1/32', 'dev', 'lo']);
    await inside('ip', ['address', 'add', '10.244.1.2/32', 'dev', 'lo']);
    await inside('ip', ['link', 'add', 'out', 'type', 'veth', 'peer', 'name', 'far']);
    await inside('ip', ['address', 'add', '192.168.10.11/24', 'dev', 'out']);
    await inside('ip', ['link', 'set', 'out', 'up']);
    await inside('ip', ['link', 'set', 'far', 'up']);
    await inside('ip', ['route', 'add', 'default', 'via', '192.168.10.1']);
    const dead = JSON.parse((await verify('--probe', '-o', 'json')).stdout) as Json;
    const at = (ip: string) => dead.probes.find((probe) => probe.ip === ip);
    expect(at('10.96.0.10')).toMatchObject({
      said: 'answers',
      met: 'refused',
      judgement: 'false',
      deadEndpoints: ['10.244.1.1:8080', '10.244.1.2:8080'],
    });
    expect(at('10.96.0.11')).toMatchObject({ said: 'refused', met: 'refused', judgement: 'true' });
    await listenOn(stand, 8080);
    const { exitCode, stdout } = await verify('--probe');
    expect(stdout).toMatch(/probed from this node: 2 of 2 addresses behave as expected\n$/);
    expect(exitCode).toBe(0);
    // The endpoints answer still: what is in the way is no pod.
    const reject = {
      nftables: [
        'nft',
        'add table ip theirs; add chain ip theirs out { type filter hook output priority -150; }; add rule ip theirs out ip daddr 10.96.0.10 drop',
      ],
      iptables: ['iptables', '-t', 'raw', '-A', 'OUTPUT', '-d', '10.96.0.10', '-j', 'DROP'],
    } as const;
    const [file, ...args] = reject[mode];
    await inside(file, args);
    const blocked = await verify('--probe');
    expect(blocked.stdout).toContain(
      'default/web at 10.96.0.10:80/tcp: expected an answer, got no answer\n',
    );
    expect(blocked.exitCode).toBe(1);
  });
});

describe('findings are listed per Service, in words and with their rules', () => {
  test('in nftables', async () => {
    const stand = await standWith('nftables', manifest);
    await apply(stand, 'nftables', manifest);
    const map = 'ip sluice endpoints-tcp';
    const moved = '{ 10.96.0.10 . 80 . 0 : 192.0.2.1 . 81 }';
    await stand.exec('nft', [
      `delete element ${map} { 10.96.0.10 . 80 . 0 }; add element ${map} ${moved}`,
    ]);
    await stand.exec('nft', [
      'add chain ip sluice theirs; flush chain ip sluice cluster-ips-check',
    ]);
    const { exitCode, stdout } = await stand.sluice(['verify', ...stand.flags, '--rules']);
    expect(exitCode).toBe(1);
    expect(stdout).toBe(
      [
        'what all Services share',
        '  changed: IPv4 chain cluster-ips-check',
        '    is:',
        '      chain cluster-ips-check {',
        '      }',
        '    expected:',
        '      chain cluster-ips-check {',
        '        ip daddr @cluster-ips reject comment "reject traffic to unused ports of ClusterIPs"',
        '      }',
        '  foreign: IPv4 chain theirs',
        '    is:',
        '      chain theirs {',
        '      }',
        'default/web',
        '  effect: default/web: endpoints 192.0.2.1:81 added, 10.244.1.1:8080 removed, 2 as before',
        '  changed: IPv4 element endpoints-tcp 10.96.0.10 . 80 . 0',
        '    is:',
        '      endpoints-tcp { 10.96.0.10 . 80 . 0 : 192.0.2.1 . 81 }',
        '    expected:',
        '      endpoints-tcp { 10.96.0.10 . 80 . 0 : 10.244.1.1 . 8080 }',
        'IPv4: 0 missing, 2 changed, 1 foreign, of 53; IPv6: all 45 match',
        '',
      ].join('\n'),
    );
  });

  test('in iptables', async () => {
    const stand = await standWith('iptables', manifest);
    await apply(stand, 'iptables', manifest);
    await stand.exec('iptables', ['-t', 'nat', '-D', 'PREROUTING', '1']);
    await stand.exec('iptables', ['-t', 'nat', '-N', 'KUBE-SVC-THEIRSTHEIRSTHEI']);
    await stand.exec('iptables', ['-t', 'nat', '-I', 'KUBE-SERVICES', '-j', 'ACCEPT']);
    const { stdout } = await stand.sluice(['verify', ...stand.flags, '-o', 'json']);
    const { isTrue, findings } = JSON.parse(stdout) as Json;
    expect(isTrue).toBe(false);
    expect(
      findings.map(({ service, units }) => [service, units.map(({ wrong, id }) => [wrong, id])]),
    ).toEqual([
      [
        null,
        [
          ['missing', 'nat PREROUTING KUBE-SERVICES'],
          ['changed', 'nat KUBE-SERVICES'],
          ['foreign', 'nat KUBE-SVC-THEIRSTHEIRSTHEI'],
        ],
      ],
    ]);
  });
});

/** A server for all addresses of the namespace, until the test ends. */
async function listenOn(stand: Stand, port: number): Promise<void> {
  const script = `require('node:net').createServer((socket) => socket.on('error', () => {})).listen(${port}, '0.0.0.0', () => console.log('listening'))`;
  const server = execa('ip', ['netns', 'exec', stand.name, process.execPath, '-e', script], {
    reject: false,
  });
  onTestFinished(async () => {
    server.kill();
    await server;
  });
  await once(server.stdout, 'data');
}
