// The daemon answers load balancers at healthCheckNodePort, on the addresses that take node ports.
import { stringify } from 'yaml';
import { describe, expect, test } from 'vitest';
import { manifestDigest } from '../../src/lab/sluice-process.ts';
import { standWith, type Stand } from '../cli/stand.ts';
import { modes } from '../support/network-namespace.ts';

type Spec = {
  readonly name: string;
  readonly ip: string;
  readonly port: number;
  readonly local: readonly string[];
};

function manifestWith(specs: readonly Spec[]): string {
  const objects = specs.flatMap(({ name, ip, port, local }) => [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name },
      spec: {
        type: 'LoadBalancer',
        clusterIP: ip,
        externalTrafficPolicy: 'Local',
        healthCheckNodePort: port,
        ports: [{ port: 80 }],
      },
    },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: `${name}-1`, labels: { 'kubernetes.io/service-name': name } },
      addressType: ip.includes(':') ? 'IPv6' : 'IPv4',
      ports: [{ port: 8080 }],
      endpoints: [
        ...local.map((address) => ({ addresses: [address], nodeName: 'node-1' })),
        { addresses: [ip.includes(':') ? 'fd00:244:2::9' : '10.244.2.9'], nodeName: 'node-2' },
      ],
    },
  ]);
  return objects.map((object) => stringify(object)).join('---\n');
}

const [web, six] = [
  { name: 'web', ip: '10.96.0.1', port: 32_001, local: ['10.244.1.1', '10.244.1.2'] },
  { name: 'six', ip: 'fd00:96::1', port: 32_006, local: ['fd00:244:1::1'] },
] as const satisfies readonly Spec[];
const idle: Spec = { name: 'idle', ip: '10.96.0.2', port: 32_002, local: [] };
const moved: Spec = { ...web, port: 32_003 };

/** `STATUS WEIGHT` of the answer there, or `none`. */
async function ask({ exec }: Stand, place: string): Promise<string> {
  const format = '%{http_code} %header{x-load-balancing-endpoint-weight}';
  const args = ['-sS', '-g', '-o', '/dev/null', '-m', '5', '-w', format, `http://${place}/`];
  const { stdout, exitCode } = await exec('curl', args, { allowedExitCodes: [7] });
  return exitCode === 0 ? stdout : 'none';
}

async function standOn(mode: (typeof modes)[number], text: string, flags: readonly string[] = []) {
  const stand = await standWith(mode, text);
  const node = '192.168.0.2/32 dev lo\n';
  await stand.exec('ip', ['-batch', '-'], {
    input: `link set lo up\naddress add ${node}address add fd00:192::2/128 dev lo nodad\n`,
  });
  const sluice = stand.start({ manifests: stand.manifests, proxyMode: mode, flags });
  await sluice.inStep(manifestDigest(text));
  return { stand, sluice };
}

describe.each(modes)('with %s', (mode) => {
  test('the ports of each family follow the Services, and end with the daemon', async () => {
    const { stand, sluice } = await standOn(mode, manifestWith([web, idle, six]));
    const all = async (...places: readonly string[]): Promise<readonly string[]> =>
      Promise.all(places.map((place) => ask(stand, place)));
    const places = ['127.0.0.1:32001', '192.168.0.2:32001', '192.168.0.2:32002', '[::1]:32006'];
    expect(await all(...places)).toEqual(['200 2', '200 2', '503 0', '200 1']);
    // Each family has its own.
    expect(await all('[::1]:32001', '127.0.0.1:32006')).toEqual(['none', 'none']);

    const next = manifestWith([moved, { ...idle, local: ['10.244.1.3'] }]);
    await stand.rewrite(next);
    await sluice.inStep(manifestDigest(next));
    expect(await all(...places)).toEqual(['none', 'none', '200 1', 'none']);
    expect(await all('192.168.0.2:32003')).toEqual(['200 2']);
    await sluice.stop();
    expect(await all('192.168.0.2:32003')).toEqual(['none']);
  });

  test('nodePortAddresses say on which addresses', async () => {
    const flags = ['--nodeport-addresses', '127.0.0.0/8'];
    const { stand } = await standOn(mode, manifestWith([web]), flags);
    expect(await ask(stand, '127.0.0.1:32001')).toBe('200 2');
    expect(await ask(stand, '192.168.0.2:32001')).toBe('none');
  });

  test('a port that is taken is warned of once, and served as soon as it is free', async () => {
    const clash = { ...idle, port: web.port };
    const { stand, sluice } = await standOn(mode, manifestWith([web, clash]));
    const warnings = (): readonly object[] =>
      sluice.log
        .map((line) => JSON.parse(line) as { level: string; port?: number })
        .filter(({ level, port }) => level !== 'info' && port !== undefined);
    // By name: `idle` has it.
    const warning = {
      level: 'warn',
      service: 'default/web',
      family: 'IPv4',
      port: web.port,
      msg: 'cannot serve healthCheckNodePort',
    };
    expect(warnings()).toMatchObject([warning]);
    expect(await ask(stand, '127.0.0.1:32001')).toBe('503 0');
    const [more, free] = [manifestWith([web, clash, six]), manifestWith([web, six])];
    for (const text of [more, free]) {
      await stand.rewrite(text);
      await sluice.inStep(manifestDigest(text));
    }
    expect(await ask(stand, '127.0.0.1:32001')).toBe('200 2');
    expect(warnings()).toHaveLength(1);
  });
});
