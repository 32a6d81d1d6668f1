// `sluice top` in a network namespace: real connections, counted by the kernel, as the daemon tells them.
import { execa } from 'execa';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { PortRate } from '../../src/cli/status/rates.ts';
import { manifestDigest } from '../../src/lab/sluice-process.ts';
import { modes } from '../support/network-namespace.ts';
import { manifestOf } from '../support/service-objects.ts';
import { standWith, type Stand } from './stand.ts';

const endpoints = ['10.244.2.11', '10.244.2.12', '10.244.2.13'];
const web = (count: number): string =>
  manifestOf([{ name: 'web', ip: '10.96.0.10', endpoints: endpoints.slice(0, count) }]);

const network = `
  ip link set lo up
  ip route add 10.96.0.0/16 dev lo
  for ip in ${endpoints.join(' ')}; do ip addr add $ip/32 dev lo; done`;

/** Tries to connect that many times: nobody listens, and a first packet is a first packet. */
async function connect(stand: Stand, times: number): Promise<void> {
  const once = '(exec 3<>/dev/tcp/10.96.0.10/80) 2>/dev/null || true';
  await stand.exec('bash', ['-c', `for i in $(seq ${times}); do ${once}; done`]);
}

async function top(stand: Stand): Promise<PortRate> {
  const { exitCode, stdout, stderr } = await stand.sluice(['top', '-o', 'json']);
  expect([exitCode, stderr]).toEqual([0, '']);
  const { ports } = JSON.parse(stdout) as { ports: readonly PortRate[] };
  expect(ports).toHaveLength(1);
  return ports[0] as PortRate;
}

const sum = ({ endpoints: all }: PortRate): number =>
  all.reduce((total, one) => total + (one.total ?? 0), 0);

describe.each(modes)('with %s', (mode) => {
  test('connections are counted by Service and endpoint, and outlive a change of endpoints', async () => {
    const stand = await standWith(mode, web(2));
    await stand.exec('bash', ['-ec', network]);
    const sluice = stand.start({
      manifests: stand.manifests,
      proxyMode: mode,
      flags: ['--service-counters', 'endpoints', '--service-connection-metrics', '1'],
    });
    await sluice.inStep(manifestDigest(web(2)));
    await connect(stand, 50);
    const before = await top(stand);
    expect([before.service, before.total, sum(before), before.idle]).toEqual([
      'default/web',
      50,
      50,
      0,
    ]);
    expect(before.endpoints.map(({ endpoint }) => endpoint)).toEqual([
      '10.244.2.11:8080',
      '10.244.2.12:8080',
    ]);
    expect(before.imbalance).toBeGreaterThanOrEqual(1);
    await stand.rewrite(web(3));
    await sluice.inStep(manifestDigest(web(3)));
    const after = await top(stand);
    expect([after.total, sum(after), after.idle]).toEqual([50, 50, 1]);
    await connect(stand, 60);
    const last = await top(stand);
    expect([last.total, sum(last), last.idle]).toEqual([110, 110, 0]);
    const metrics = await stand.exec('curl', ['-s', 'http://127.0.0.1:10249/metrics']);
    expect(metrics.stdout.match(/^sluice_service_connections_total.*$/gm)).toEqual([
      'sluice_service_connections_total{namespace="default",service="web",port="",protocol="tcp"} 110',
    ]);
    const { stdout } = await stand.sluice(['top']);
    expect(stdout).toMatch(/^1 Service port, 0\.0 new connections a second\n/);
    expect(stdout).toMatch(/^default\/web tcp +0\.0 +110 +3 +0 +0 +\d\.\dx$/m);
  });
});

test('without counters of endpoints it says how to get them', async () => {
  const stand = await standWith('nftables', web(2));
  await stand.exec('bash', ['-ec', network]);
  const sluice = stand.start({ manifests: stand.manifests, proxyMode: 'nftables' });
  await sluice.inStep(manifestDigest(web(2)));
  await connect(stand, 5);
  const { exitCode, stdout } = await stand.sluice(['top', '--once']);
  expect([exitCode, stdout]).toEqual([
    0,
    `1 Service port, 0.0 new connections a second
endpoints are not counted: run --service-counters endpoints

SERVICE          CONN/S  TOTAL  SHARE  ENDPOINTS  IDLE  SKIPPED  BUSIEST
default/web tcp     0.0      5                 2     -        0        -
`,
  ]);
});

test('on a terminal it goes on until somebody has had enough', async () => {
  const stand = await standWith('nftables', web(2));
  await stand.exec('bash', ['-ec', network]);
  const sluice = stand.start({ manifests: stand.manifests, proxyMode: 'nftables' });
  await sluice.inStep(manifestDigest(web(2)));
  const bin = new URL('../../bin/sluice', import.meta.url).pathname;
  const command = ['script', '-qfec', `${bin} top`, '/dev/null'];
  const terminal = execa('ip', ['netns', 'exec', stand.name, ...command], { buffer: false });
  onTestFinished(() => void terminal.kill('SIGKILL'));
  let shown = '';
  for await (const chunk of terminal.iterable({ binary: true, preserveNewlines: true })) {
    shown += Buffer.from(chunk).toString('utf8');
    // Two screens of it, the second in the place of the first.
    if (shown.split('\u001B[H\u001B[J').length === 3) terminal.stdin.write('q');
  }
  expect((await terminal).exitCode).toBe(0);
});
