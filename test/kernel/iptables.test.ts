// The iptables backend against real kernels, through both programs that are called iptables.
import { once } from 'node:events';
import { execa } from 'execa';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createIptablesBackend } from '../../src/backends/iptables/backend.ts';
import { oneOf } from '../../src/backends/iptables/rule-text.ts';
import type { IptablesUnit } from '../../src/backends/iptables/unit.ts';
import type { Backend } from '../../src/backends/backend.ts';
import { ToolError } from '../../src/errors.ts';
import type { Exec } from '../../src/host/exec.ts';
import type { Family } from '../../src/model/ip.ts';
import type { ServiceRules } from '../../src/model/ruleset.ts';
import { plan } from '../../src/netfilter/plan.ts';
import { networkNamespace } from '../support/network-namespace.ts';
import { assembly, service } from '../unit/iptables/fixture.ts';

const nothing = new Map<string, IptablesUnit>();
const variants = ['nft', 'legacy'] as const;
const cases = variants.flatMap((variant) =>
  (['IPv4', 'IPv6'] as const).map((family) => ({ variant, family })),
);
const clusterNet: Readonly<Record<Family, string>> = { IPv4: '10.96.', IPv6: 'fd00:96::' };
const podNet: Readonly<Record<Family, string>> = { IPv4: '10.244.1.', IPv6: 'fd00:10:244::' };

/** A namespace whose `iptables`, `ip6tables-save` and so on are those of one variant. */
async function machine(
  variant: (typeof variants)[number],
): Promise<{ name: string; exec: Exec; backend: Backend<IptablesUnit> }> {
  const { name, exec: inside } = await networkNamespace();
  const exec: Exec = (file, args, options) =>
    inside(file.replace(/^(ip6?tables)/, `$1-${variant}`), args, options);
  const backend = createIptablesBackend(exec);
  const { findings } = await backend.probe();
  expect(findings.join()).toContain(variant === 'nft' ? 'nf_tables' : 'legacy');
  return { name, exec, backend };
}

function clusterIp(family: Family, n: number): string {
  const separator = family === 'IPv4' ? '.' : ':';
  return `${clusterNet[family]}${n % 7}${separator}${1 + (n % 250)}`;
}

function podIp(family: Family, n: number): string {
  return `${podNet[family]}${1 + (n % 250)}`;
}

/** Services of all protocols, with none to `n % 5` endpoints at their second port. */
function cluster(family: Family, count: number): readonly ServiceRules[] {
  const protocols = ['tcp', 'udp', 'sctp'] as const;
  return Array.from({ length: count }, (_, n) => {
    const endpoints = Array.from(
      { length: n % 5 },
      (_, e) => [podIp(family, n + e), 8080] as const,
    );
    const protocol = protocols[n % 3] ?? 'tcp';
    const first = { endpoints: [[podIp(family, n), 80]] } as const;
    const second = { name: `p-${n}`, protocol, port: 53, endpoints };
    return service(`ns/s${n}`, clusterIp(family, n), { ports: [first, second] });
  });
}

describe.each(cases)('$variant, $family', ({ variant, family }) => {
  test('what is applied is observed, a change writes its own lines, and a clean-up leaves nothing', async () => {
    const { exec, backend } = await machine(variant);
    const made = assembly(family, cluster(family, 60));
    await backend.apply(family, plan(nothing, made.whole()));
    expect(await backend.observe(family)).toEqual(made.whole());

    const address = clusterIp(family, 4);
    const endpoints = [
      [podIp(family, 9), 80],
      [podIp(family, 200), 80],
    ] as const;
    const changed = service('ns/s4', address, { ports: [{ endpoints }] });
    const change = made.replace(new Map([[changed.service, changed]]));
    const steps = plan(change.before, change.after);
    const rules = backend
      .encode(family, steps)
      .split('\n')
      .filter((line) => line.startsWith('-A'));
    const others = rules.filter(
      (line) => !line.includes('ns/s4:') && !line.startsWith('-A KUBE-SVCS-'),
    );
    expect(others).toEqual([]);
    expect(rules.length).toBeLessThan(8 + 16);
    await backend.apply(family, steps);
    expect(await backend.observe(family)).toEqual(made.whole());

    await backend.apply(family, plan(await backend.observe(family), nothing));
    expect(await backend.observe(family)).toEqual(nothing);
    const save = family === 'IPv4' ? 'iptables-save' : 'ip6tables-save';
    expect((await exec(save, [])).stdout).not.toContain('KUBE-');
  });

  test('packets find their Service in the tree, and are refused where nothing answers', async () => {
    const { name, exec, backend } = await machine(variant);
    const pod = podIp(family, 0);
    const count = 40;
    const services = Array.from({ length: count }, (_, n) => {
      const endpoints = n % 2 === 0 ? ([[pod, 8080]] as const) : [];
      return service(`ns/s${n}`, clusterIp(family, n), { ports: [{ endpoints }] });
    });
    const net = family === 'IPv4' ? '10.96.0.0/12' : 'fd00:96::/64';
    await exec('ip', ['link', 'set', 'lo', 'up']);
    await exec('ip', ['address', 'add', `${pod}/${family === 'IPv4' ? 32 : 128}`, 'dev', 'lo']);
    await exec('ip', ['link', 'add', 'uplink', 'type', 'veth', 'peer', 'name', 'far-end']);
    for (const end of ['uplink', 'far-end']) await exec('ip', ['link', 'set', end, 'up']);
    await exec('ip', ['route', 'add', net, 'dev', 'uplink']);
    await startServer(name, pod);
    await backend.apply(family, plan(nothing, assembly(family, services).whole()));
    for (const n of [0, 1, 38, 39]) {
      const host = family === 'IPv4' ? clusterIp(family, n) : `[${clusterIp(family, n)}]`;
      const { stdout, exitCode } = await exec(
        'curl',
        ['--silent', '--max-time', '5', `http://${host}/`],
        { allowedExitCodes: [cannotConnect, 28] },
      );
      const outcome = exitCode === cannotConnect ? 'refused' : stdout;
      expect([n, outcome]).toEqual([n, n % 2 === 0 ? 'pod' : 'refused']);
    }
  });
});

// curl's exit code where it is refused; it is another one where it waits in vain.
const cannotConnect = 7;

/** An HTTP server that answers `pod`; returns once it listens. */
async function startServer(namespace: string, address: string): Promise<void> {
  const program = `require('node:http')
    .createServer((_, answer) => answer.end('pod'))
    .listen(8080, '${address}', () => console.log('listening'));`;
  const server = execa('ip', ['netns', 'exec', namespace, process.execPath, '-e', program], {
    reject: false,
  });
  onTestFinished(async () => {
    server.kill();
    await server;
  });
  await Promise.race([once(server.stdout, 'data'), server]);
}

describe.each(variants)('%s', (variant) => {
  test("the probability of one in k is what the kernel has of kube-proxy's rule, for k up to 1000", async () => {
    const { exec } = await machine(variant);
    const ways = Array.from({ length: 999 }, (_, index) => index + 2);
    const rules = ways.map(
      (k) => `-A K -m statistic --mode random --probability ${(1 / k).toFixed(10)} -j ACCEPT`,
    );
    const input = ['*filter', ':K - [0:0]', ...rules, 'COMMIT', ''].join('\n');
    await exec('iptables-restore', ['--noflush'], { input });
    const { stdout } = await exec('iptables-save', ['-t', 'filter']);
    const read = stdout.split('\n').filter((line) => line.startsWith('-A K '));
    expect(read).toEqual(ways.map((k) => `-A K ${oneOf(k)} -j ACCEPT`));
  });

  test('comments read back as they were spelled', async () => {
    const { backend } = await machine(variant);
    const key = `${'n'.repeat(63)}/${'s'.repeat(63)}`;
    const odd = String.raw`od"d\p'ort`;
    const ports = [
      { name: 'p'.repeat(63), endpoints: [['10.244.1.1', 80]] },
      { name: odd, port: 81, endpoints: [['10.244.1.1', 80]] },
      { name: '', port: 82, endpoints: [] },
    ] as const;
    const whole = assembly('IPv4', [service(key, '10.96.0.1', { ports })]).whole();
    await backend.apply('IPv4', plan(nothing, whole));
    expect(await backend.observe('IPv4')).toEqual(whole);
  });

  test("kube-proxy's chains give way, the kubelet's and the user's rules stay", async () => {
    const { exec, backend } = await machine(variant);
    await exec('iptables-restore', ['--noflush'], { input: kubeProxyNode });
    const made = assembly('IPv4', cluster('IPv4', 3));
    await backend.apply('IPv4', plan(await backend.observe('IPv4'), made.whole()));
    expect(await backend.observe('IPv4')).toEqual(made.whole());
    await backend.apply('IPv4', plan(made.whole(), nothing));
    const { stdout } = await exec('iptables-save', []);
    const left = stdout.split('\n').filter((line) => /^:(KUBE|MY)|^-A/.test(line));
    expect(left.map((line) => line.replace(/\[.*\]/, '')).toSorted()).toEqual([
      '-A INPUT -j KUBE-FIREWALL',
      '-A KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 -j DROP',
      '-A POSTROUTING -s 10.244.0.0/16 -j MASQUERADE',
      ':KUBE-FIREWALL - ',
      ':KUBE-KUBELET-CANARY - ',
      ':MY-CHAIN - ',
    ]);
  });

  test('a plan of more chains than one transaction takes is carried out all the same', async () => {
    const { backend } = await machine(variant);
    const made = assembly('IPv4', cluster('IPv4', 400));
    expect(made.whole().size).toBeGreaterThan(1500);
    await backend.apply('IPv4', plan(nothing, made.whole()));
    expect(await backend.observe('IPv4')).toEqual(made.whole());
    await backend.apply('IPv4', plan(made.whole(), nothing));
    expect(await backend.observe('IPv4')).toEqual(nothing);
  });

  test('a refused transaction changes nothing and names the line', async () => {
    const { exec, backend } = await machine(variant);
    const made = assembly('IPv4', cluster('IPv4', 2));
    const before = made.whole();
    await backend.apply('IPv4', plan(nothing, before));
    const chain = [...before.values()].find((unit) => unit.owner === 'ns/s1')?.chain ?? '';
    const foreign = `*nat\n:MY-CHAIN - [0:0]\n-A MY-CHAIN -j ${chain}\nCOMMIT\n`;
    await exec('iptables-restore', ['--noflush'], { input: foreign });
    const gone = [...before.values()].filter((unit) => unit.owner === 'ns/s1');
    const steps = gone.map((was) => ({ op: 'delete', was }) as const);
    const failure = await backend.apply('IPv4', steps).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ToolError);
    expect(String(failure)).toMatch(/line \d+ \(.*\): .*\n/);
    expect(String(failure)).toContain(`-X ${chain}`);
    expect(await backend.observe('IPv4')).toEqual(before);
  });
});

// As a kubelet and kube-proxy leave a node, with a rule of the user's.
const kubeProxyNode = `*filter
:KUBE-FIREWALL - [0:0]
:KUBE-SERVICES - [0:0]
:KUBE-EXTERNAL-SERVICES - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-FORWARD - [0:0]
:KUBE-PROXY-FIREWALL - [0:0]
-A INPUT -j KUBE-FIREWALL
-A INPUT -m comment --comment "kubernetes health check service ports" -j KUBE-NODEPORTS
-A INPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes externally-visible service portals" -j KUBE-EXTERNAL-SERVICES
-A FORWARD -m conntrack --ctstate NEW -m comment --comment "kubernetes load balancer firewall" -j KUBE-PROXY-FIREWALL
-A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD
-A FORWARD -m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A FORWARD -m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A KUBE-FIREWALL -d 127.0.0.0/8 ! -s 127.0.0.0/8 -j DROP
-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
COMMIT
*nat
:KUBE-KUBELET-CANARY - [0:0]
:KUBE-PROXY-CANARY - [0:0]
:MY-CHAIN - [0:0]
:KUBE-SERVICES - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-POSTROUTING - [0:0]
:KUBE-MARK-MASQ - [0:0]
:KUBE-EXT-XPGD46QRK7WJZT7O - [0:0]
:KUBE-SVC-XPGD46QRK7WJZT7O - [0:0]
:KUBE-SEP-SXIVWICOYRO3J4NJ - [0:0]
-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING
-A POSTROUTING -s 10.244.0.0/16 -j MASQUERADE
-A KUBE-SERVICES -m comment --comment "ns1/svc1:p80 cluster IP" -m tcp -p tcp -d 10.96.0.1 --dport 80 -j KUBE-SVC-XPGD46QRK7WJZT7O
-A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
-A KUBE-NODEPORTS -m comment --comment ns1/svc1:p80 -m tcp -p tcp --dport 30080 -j KUBE-EXT-XPGD46QRK7WJZT7O
-A KUBE-EXT-XPGD46QRK7WJZT7O -j KUBE-SVC-XPGD46QRK7WJZT7O
-A KUBE-SVC-XPGD46QRK7WJZT7O -m comment --comment "ns1/svc1:p80 -> 10.180.0.1:80" -j KUBE-SEP-SXIVWICOYRO3J4NJ
-A KUBE-SEP-SXIVWICOYRO3J4NJ -m comment --comment ns1/svc1:p80 -s 10.180.0.1 -j KUBE-MARK-MASQ
-A KUBE-SEP-SXIVWICOYRO3J4NJ -m comment --comment ns1/svc1:p80 -m tcp -p tcp -j DNAT --to-destination 10.180.0.1:80
COMMIT
`;
