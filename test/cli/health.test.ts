// `sluice run` as an operator meets it at its ports, in a network namespace: health, metrics, ports that
// are taken, and the kernel settings that it makes.
import { describe, expect, test } from 'vitest';
import { manifestDigest, type SluiceProcess } from '../../src/lab/sluice-process.ts';
import type { ProxyMode } from '../../src/model/config.ts';
import type { NetworkNamespace } from '../support/network-namespace.ts';
import { modes } from '../support/network-namespace.ts';
import { lintMetric, parseMetrics } from '../support/prometheus.ts';
import { manifest } from './services.ts';
import { standWith, type Stand } from './stand.ts';

const node = (spec: string): string =>
  `apiVersion: v1\nkind: Node\nmetadata: {name: node-1}\nspec: ${spec}\n---\n${manifest}`;
const healthy = node('{}');
const leaving = node('{taints: [{key: ToBeDeletedByClusterAutoscaler, effect: NoSchedule}]}');

type Answer = { readonly status: number; readonly headers: string; readonly body: string };

/** What is answered at a URL, asked from inside the namespace. */
async function ask({ exec }: NetworkNamespace, url: string): Promise<Answer> {
  const { stdout } = await exec('curl', ['-sS', '-g', '-i', '--max-time', '10', url]);
  const [headers = '', ...rest] = stdout.split('\r\n\r\n');
  const status = Number(/^HTTP\/1\.1 (\d+)/.exec(headers)?.[1]);
  return { status, headers, body: rest.join('\r\n\r\n') };
}

/** A namespace with a manifest, and with its loopback addresses. */
async function standing(mode: ProxyMode): Promise<Stand> {
  const stand = await standWith(mode, healthy);
  await stand.exec('ip', ['link', 'set', 'lo', 'up']);
  return stand;
}

/** A daemon that is in step with the manifest. */
async function running(
  stand: Stand,
  text: string,
  flags: readonly string[],
): Promise<SluiceProcess> {
  const { manifests } = stand;
  const [, proxyMode] = flags as [string, 'nftables'];
  const sluice = stand.start({ manifests, proxyMode, flags: flags.slice(2) });
  await sluice.inStep(manifestDigest(text));
  return sluice;
}

/** What /healthz says where the rules of both families are in step. */
function healthBody(said: { readonly nodeEligible: boolean }): object {
  const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/) as string;
  const family = { lastUpdated: time, healthy: true };
  const status = { IPv4: family, IPv6: family };
  return { lastUpdated: time, currentTime: time, ...said, healthy: true, status };
}

describe.each(modes)('with %s', (mode) => {
  test('load balancers, the kubelet and Prometheus are answered', async () => {
    const stand = await standing(mode);
    const sluice = await running(stand, healthy, ['--proxy-mode', mode]);
    const at = (url: string): Promise<Answer> => ask(stand, `http://${url}`);
    // Unspecified stands for the addresses of both families.
    for (const host of ['127.0.0.1', '[::1]']) {
      const { status, headers, body } = await at(`${host}:10256/healthz?verbose`);
      expect(status).toBe(200);
      expect(headers).toContain('Content-Type: application/json');
      expect(headers).toContain('X-Content-Type-Options: nosniff');
      expect(JSON.parse(body)).toEqual(healthBody({ nodeEligible: true }));
    }
    expect((await at('127.0.0.1:10256/metrics')).status).toBe(404);

    await stand.rewrite(leaving);
    await sluice.inStep(manifestDigest(leaving));
    const gone = await at('127.0.0.1:10256/healthz');
    expect([gone.status, JSON.parse(gone.body)]).toEqual([
      503,
      healthBody({ nodeEligible: false }),
    ]);
    expect((await at('127.0.0.1:10256/livez')).status).toBe(200);

    expect((await at('127.0.0.1:10249/proxyMode')).body).toBe(mode);
    expect((await at('127.0.0.1:10249/healthz')).body).toBe('ok');
    const configz = JSON.parse((await at('127.0.0.1:10249/configz')).body) as object;
    expect(Object.keys(configz)).toEqual(['kubeproxy.config.k8s.io']);
    expect(configz).toMatchObject({
      'kubeproxy.config.k8s.io': {
        apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
        kind: 'KubeProxyConfiguration',
        mode,
      },
    });
    const metrics = parseMetrics((await at('127.0.0.1:10249/metrics')).body);
    const count = (name: string, labels: string): number | undefined =>
      metrics.get(name)?.samples.get(`${name}${labels}`);
    expect(count('kubeproxy_proxy_healthz_total', '{code="200"}')).toBe(2);
    expect(count('kubeproxy_proxy_healthz_total', '{code="503"}')).toBe(1);
    expect(count('kubeproxy_sync_proxy_rules_service_changes_total', '')).toBe(12);
    expect(
      count('sluice_operations_total', '{ip_family="IPv4",operation="create"}'),
    ).toBeGreaterThan(20);
    const faults = [...metrics.values()].filter(({ name }) => !name.startsWith('kubeproxy_'));
    expect(faults.flatMap(lintMetric)).toEqual([]);
    // The metrics are for this node alone.
    const { stdout } = await stand.exec('ss', ['-ltnH', 'sport', '=', ':10249']);
    const listening = stdout.trimEnd().split('\n');
    expect(listening.map((line) => line.split(/\s+/)[3])).toEqual(['127.0.0.1:10249']);
  });
});

test('without a Node object, /healthz goes by the rules alone', async () => {
  const stand = await standWith('nftables', manifest);
  await stand.exec('ip', ['link', 'set', 'lo', 'up']);
  await running(stand, manifest, ['--proxy-mode', 'nftables']);
  const { status, body } = await ask(stand, 'http://127.0.0.1:10256/healthz');
  expect([status, JSON.parse(body)]).toEqual([200, healthBody({ nodeEligible: true })]);
});

test.each(modes)('a healthy start in %s mode warns of nothing', async (mode) => {
  const stand = await standWith(mode, healthy);
  await stand.exec('ip', ['link', 'set', 'lo', 'up']);
  const sluice = await running(stand, healthy, ['--proxy-mode', mode]);
  await sluice.stop();
  expect(sluice.log.filter((line) => !line.includes('"level":"info"'))).toEqual([]);
});

describe('a port that is taken', () => {
  const ports = [
    '--healthz-bind-address',
    '127.0.0.1:10356',
    '--metrics-bind-address',
    '[::1]:10349',
    '--debug-bind-address',
    '127.0.0.1:10347',
  ];

  test('is served when it comes free; the rules do not wait for it', async () => {
    const stand = await standing('nftables');
    const other = await running(stand, healthy, ['--proxy-mode', 'nftables', ...ports]);
    const sluice = await running(stand, healthy, ['--proxy-mode', 'nftables', ...ports]);
    await sluice.logged('trying again', 0);
    await other.kill();
    await sluice.logged('serving health', 0);
    await sluice.logged('serving metrics', 0);
    await sluice.logged('serving debug', 0);
    expect((await ask(stand, 'http://127.0.0.1:10356/livez')).status).toBe(200);
    expect((await ask(stand, 'http://[::1]:10349/healthz')).body).toBe('ok');
    // Told once, however often it was tried.
    const told = sluice.log
      .filter((line) => line.includes('trying again'))
      .map((line) => (JSON.parse(line) as { error: string }).error);
    expect(told.toSorted()).toEqual([
      'cannot serve debug at 127.0.0.1:10347: listen EADDRINUSE: address already in use 127.0.0.1:10347',
      'cannot serve health at 127.0.0.1:10356: listen EADDRINUSE: address already in use 127.0.0.1:10356',
      'cannot serve metrics at [::1]:10349: listen EADDRINUSE: address already in use ::1:10349',
    ]);
  });

  test('ends the daemon where that is asked for, and says which', async () => {
    const stand = await standing('nftables');
    await running(stand, healthy, ['--proxy-mode', 'nftables', ...ports]);
    const flags = [...stand.flags, ...ports, '--bind-address-hard-fail'];
    const { exitCode, stderr } = await stand.sluice(['run', ...flags]);
    expect(exitCode).toBe(2);
    // Whichever is first; text for a terminal, so without a stack.
    const last = stderr.trimEnd().split('\n').at(-1);
    expect(last).toMatch(
      /^sluice: cannot serve \w+ at \S+: listen EADDRINUSE: address already in use \S+$/,
    );
    expect(stderr).not.toContain('    at ');
  });
});

test('connection tracking is set up; what may not be written is a warning', async () => {
  const stand = await standing('nftables');
  const read = async (name: string): Promise<string> =>
    (await stand.exec('cat', [`/proc/sys/net/netfilter/nf_conntrack_${name}`])).stdout.trim();
  const [max, loose] = [await read('max'), await read('tcp_be_liberal')];
  expect(loose).toBe('0');
  const sluice = await running(stand, healthy, [
    '--proxy-mode',
    'nftables',
    '--conntrack-max-per-core=77777',
    '--conntrack-tcp-timeout-established=2h',
    '--conntrack-tcp-timeout-close-wait=0',
    '--conntrack-udp-timeout=7s',
    '--conntrack-tcp-be-liberal',
  ]);
  expect(await read('tcp_timeout_established')).toBe('7200');
  expect(await read('udp_timeout')).toBe('7');
  expect(await read('tcp_be_liberal')).toBe('1');
  // The kernel lets only its first network namespace change this one, as in a node of kind.
  expect(await read('max')).toBe(max);
  const warnings = sluice.log.filter((line) => line.includes('nf_conntrack_max'));
  expect(warnings).toHaveLength(1);
  expect(JSON.parse(warnings[0] ?? '')).toMatchObject({
    level: 'warn',
    setting: 'net.netfilter.nf_conntrack_max',
    msg: 'left as it is: cannot be set',
  });
});

test('a dry run opens no port and writes no setting', async () => {
  const stand = await standing('nftables');
  const child = stand.spawn(['run', ...stand.flags, '--dry-run', '--conntrack-udp-timeout=7s']);
  const { value: first } = await child.iterable()[Symbol.asyncIterator]().next();
  expect(String(first)).not.toBe('');
  const { stdout } = await stand.exec('ss', ['-ltnH']);
  expect(stdout).toBe('');
  const { stdout: udp } = await stand.exec('cat', [
    '/proc/sys/net/netfilter/nf_conntrack_udp_timeout',
  ]);
  expect(udp.trim()).not.toBe('7');
});
