// `sluice top` in a network namespace: real connections, counted by the kernel, as the daemon tells them.
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
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

const bin = new URL('../../bin/sluice', import.meta.url).pathname;

/** A terminal in which a shell runs `command`. */
function terminalIn({ name }: Stand, command: string) {
  const script = ['script', '-qfec', command, '/dev/null'];
  const child = execa('ip', ['netns', 'exec', name, ...script], { buffer: false, reject: false });
  const output = child.iterable({ binary: true, preserveNewlines: true })[Symbol.asyncIterator]();
  let shown = '';
  return {
    /** Waits until the screen is this text. */
    async shows(text: string) {
      const screen = () => shown.split('\u001B[H\u001B[J').at(-1);
      while (screen() !== text) {
        const { done, value } = await output.next();
        if (done === true) expect(screen()).toBe(text);
        shown += Buffer.from(value ?? []).toString('utf8');
      }
    },
    type: (keys: string) => child.stdin.write(keys),
    exitCode: child.then(({ exitCode }) => exitCode),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await child;
    },
  };
}

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

test('on a terminal of 60 by 12 it scrolls and filters until somebody has had enough', async () => {
  const many = manifestOf(
    Array.from({ length: 20 }, (_, index) => {
      return { name: `web-${index + 10}`, ip: `10.96.0.${index + 10}`, endpoints };
    }),
  );
  const stand = await standWith('nftables', many);
  await stand.exec('bash', ['-ec', network]);
  const sluice = stand.start({ manifests: stand.manifests, proxyMode: 'nftables' });
  await sluice.inStep(manifestDigest(many));
  await using terminal = terminalIn(stand, `stty cols 60 rows 12; NO_COLOR=1 ${bin} top`);
  const table = (title: string, last: string, ...names: readonly number[]): string =>
    [
      title,
      'endpoints are not counted: run --service-counters endpoints',
      '',
      'SERVICE             CONN/S  TOTAL  SHARE  ENDPOINTS  IDLE',
      ...names.map((name) => `default/web-${name} tcp     0.0      0                 3     -`),
      last,
    ].join('\r\n');
  const all = '20 Service ports, 0.0 new connections a second';
  const keys = 'arrows: scroll, /: filter, q: quit';
  await terminal.shows(table(all, `1-7 of 20; ${keys}`, 10, 11, 12, 13, 14, 15, 16));
  terminal.type('\u001B[B\u001B[6~');
  await terminal.shows(table(all, `9-15 of 20; ${keys}`, 18, 19, 20, 21, 22, 23, 24));
  terminal.type('/B-11');
  const one = `"B-11": 1 of ${all}`;
  await terminal.shows(table(one, '/B-11   Enter: keep, Esc: clear', 11));
  terminal.type('\r');
  await terminal.shows(table(one, `1-1 of 1; ${keys}`, 11));
  terminal.type('q');
  expect(await terminal.exitCode).toBe(0);
});
