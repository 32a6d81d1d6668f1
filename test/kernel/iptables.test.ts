// The iptables backend against real kernels, through both programs that are called iptables.
import { once } from 'node:events';
import { execa } from 'execa';
import { describe, expect, onTestFinished, test } from 'vitest';
import { oneOf } from '../../src/backends/iptables/rule-text.ts';
import type { IptablesUnit } from '../../src/backends/iptables/unit.ts';
import { ToolError } from '../../src/errors.ts';
import type { Family } from '../../src/model/ip.ts';
import type { ServiceRules } from '../../src/model/ruleset.ts';
import { plan } from '../../src/netfilter/plan.ts';
import { machine, ownUnits } from '../support/iptables-machine.ts';
import { variants } from '../support/one-variant.ts';
import { assembly, cidr, decided, ip, service } from '../unit/backends/iptables/fixture.ts';

const nothing = new Map<string, IptablesUnit>();
const cases = variants.flatMap((variant) =>
  (['IPv4', 'IPv6'] as const).map((family) => ({ variant, family })),
);
const clusterNet: Readonly<Record<Family, string>> = { IPv4: '10.96.', IPv6: 'fd00:96::' };
const podNet: Readonly<Record<Family, string>> = { IPv4: '10.244.1.', IPv6: 'fd00:10:244::' };

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

/** Services with all that a Service can ask for. */
function demanding(family: Family): readonly ServiceRules[] {
  const external = family === 'IPv4' ? '203.0.113.' : '2001:db8::';
  const far = [podIp(family, 201), podIp(family, 202)];
  const is = {
    loadBalancerIps: [ip(`${external}1`)],
    externalIps: [ip(`${external}2`)],
    sourceRanges: [cidr(family === 'IPv4' ? '192.0.2.0/24' : '2001:db8:1::/48')],
    affinitySeconds: 10_800,
    healthCheckNodePort: 32_000,
    externalTrafficPolicy: 'Local',
  } as const;
  return [
    decided('ns/all', clusterIp(family, 300), {
      is,
      nodePort: 30_080,
      local: [podIp(family, 200)],
      remote: far,
    }),
    decided('ns/far', clusterIp(family, 301), {
      is: { externalTrafficPolicy: 'Local', internalTrafficPolicy: 'Local' },
      nodePort: 30_081,
      remote: far,
    }),
    ...Array.from({ length: 40 }, (_, n) =>
      decided(`ns/none-${n}`, clusterIp(family, 302 + n), {
        is: { externalIps: [ip(`${external}${10 + n}`)] },
        nodePort: 30_100 + n * 50,
      }),
    ),
  ];
}

test.each([
  { family: 'IPv4', tool: 'iptables' },
  { family: 'IPv6', tool: 'ip6tables' },
] as const)('iptables-nft, $family: chains that are never empty tell of a flush', async (one) => {
  const { family, tool } = one;
  const { exec, backend } = await machine('nft');
  const stand = () => backend.canariesStand?.(family);
  expect(await stand()).toBe(false);
  const whole = assembly(family, []).whole();
  for (const table of ['nat', 'filter']) {
    await backend.apply(family, plan(await backend.observe(family), whole));
    expect(await stand()).toBe(true);
    await exec(tool, ['-w', '5', '-t', table, '-F']);
    expect(await stand()).toBe(false);
  }
});

describe.each(cases)('$variant, $family', ({ variant, family }) => {
  test('what is applied is observed, a change writes its own lines, and a clean-up leaves nothing', async () => {
    const { exec, backend } = await machine(variant);
    const made = assembly(family, [...cluster(family, 60), ...demanding(family)]);
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
    expect(ownUnits(await backend.observe(family))).toEqual(nothing);
    const save = family === 'IPv4' ? 'iptables-save' : 'ip6tables-save';
    const left = (await exec(save, [])).stdout.split('\n').filter((line) => line.includes('KUBE-'));
    expect(left.filter((line) => !line.includes('KUBE-FIREWALL'))).toEqual([]);
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

  test('a plan of more chains than one transaction takes is carried out all the same', async () => {
    const { backend } = await machine(variant);
    const made = assembly('IPv4', cluster('IPv4', 400));
    expect(made.whole().size).toBeGreaterThan(1500);
    await backend.apply('IPv4', plan(nothing, made.whole()));
    expect(await backend.observe('IPv4')).toEqual(made.whole());
    await backend.apply('IPv4', plan(made.whole(), nothing));
    expect(ownUnits(await backend.observe('IPv4'))).toEqual(nothing);
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
    expect(plan(await backend.observe('IPv4'), before)).toEqual([]);
  });
});
