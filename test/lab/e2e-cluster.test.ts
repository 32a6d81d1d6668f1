// The end-to-end test of a live cluster, against the stand-in API server and the laboratory's nodes: the
// same program that `npm run e2e:cluster` runs, with Sluice from its sources, and as the DaemonSet's pod.
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import { expect, onTestFinished, test } from 'vitest';
import { nodes, serviceRange } from '../../src/lab/topology.ts';
import { containerCommand } from '../e2e/container.ts';
import { buildImage, type Image } from '../e2e/image.ts';
import { relayPort, StandInCluster } from '../e2e/stand-in-cluster.ts';
import { modes } from '../support/network-namespace.ts';

const program = resolve(import.meta.dirname, '../e2e/cluster.ts');

/** Runs the end-to-end test as the script in package.json does. */
function endToEnd(
  { kubeconfig }: StandInCluster,
  { withinMs = 30_000, cancelSignal = quiet } = {},
) {
  const env = { KUBECONFIG: kubeconfig, SLUICE_E2E_WITHIN_MS: String(withinMs) };
  return execa(process.execPath, [program], { env, reject: false, cancelSignal });
}

const quiet = new AbortController().signal;

/** How a run ended, the lines that were wrong, and what it left behind. */
function outcome(
  { exitCode, stdout }: Awaited<ReturnType<typeof endToEnd>>,
  { plane }: StandInCluster,
) {
  const lines = stdout.split('\n');
  const wrong = lines.filter((line) => line.includes('WRONG'));
  return { exitCode, wrong, summary: lines.at(-1), left: [plane.namespaces, plane.objects] };
}

const allRight = { exitCode: 0, wrong: [], summary: '136 right, 0 wrong', left: [[], 0] };

test('Sluice in iptables mode, by a kubeconfig', async () => {
  await using cluster = await StandInCluster.start();
  cluster.startSluice(['--proxy-mode', 'iptables', '--detect-local-mode', 'NodeCIDR']);
  expect(outcome(await endToEnd(cluster), cluster)).toEqual(allRight);
});

/** What the pod warns of in each mode, once on each node: /proc/sys is read-only there. */
const lacking = {
  nftables: [],
  iptables: [expect.stringContaining('"setting":"net.ipv4.conf.all.route_localnet","value":1,')],
} as const;

test.each(modes)(
  'the pod of the DaemonSet in %s mode, with NET_ADMIN alone on a read-only root',
  async (mode) => {
    await using cluster = await StandInCluster.start();
    const image = await imageInFolder();
    const sluices = [];
    for (const { host, nodeName } of nodes) {
      const folder = join(cluster.folder, host);
      await mkdir(folder);
      const command = await containerCommand({
        image,
        folder,
        node: process.execPath,
        nodeName,
        apiServer: { host: '127.0.0.1', port: String(relayPort) },
        serviceAccount: cluster.serviceAccount,
      });
      const config = join(folder, 'volume-config', 'config.yaml');
      const shipped = await readFile(config, 'utf8');
      await writeFile(config, shipped.replace(/^mode: .*$/m, `mode: ${mode}`));
      sluices.push(cluster.startOn(host, command));
    }
    // One that ends at once says why.
    await Promise.all(sluices.map((sluice) => sluice.logged('connected to the API server', 0)));
    expect(outcome(await endToEnd(cluster), cluster)).toEqual(allRight);
    for (const path of ['livez', 'healthz']) {
      const { stdout } = await cluster.exec('n1', [
        'curl',
        '-sS',
        `http://127.0.0.1:10256/${path}`,
      ]);
      expect(JSON.parse(stdout)).toMatchObject({ healthy: true, apiServer: { connected: true } });
    }
    // Nothing that the pod may not do was tried; that value it has from the kubelet.
    const warnings = sluices
      .flatMap(({ log }) => log.filter((line) => !line.includes('"level":"info"')))
      .filter((line) => !line.includes('"oomScoreAdj":-997'));
    expect(warnings).toEqual(sluices.flatMap(() => lacking[mode]));
    // Each has told its Node that it started; there was nothing to tell of any Service.
    const told = cluster.plane.events.all.map(
      ({ reason, regarding }) => `${reason} ${regarding.name}`,
    );
    expect(told.toSorted()).toEqual(nodes.map(({ nodeName }) => `Starting ${nodeName}`).toSorted());
  },
);

test('a port that cannot be had ends Sluice where that is asked for, and its Node is told', async () => {
  await using cluster = await StandInCluster.start();
  cluster.startSluice(['--bind-address-hard-fail', '--metrics-bind-address', '192.0.2.77:10249']);
  const events = await cluster.plane.events.taken(4);
  const told = events.map(({ type, reason, note }) => `${type} ${reason}: ${note}`);
  const ended =
    'Warning FailedToStartMetricServer: cannot serve metrics at 192.0.2.77:10249: ' +
    'listen EADDRNOTAVAIL: address not available 192.0.2.77:10249';
  expect(told.filter((line) => line.startsWith('Warning'))).toEqual([ended, ended]);
});

const refusal = ['output', 'forward']
  .flatMap((hook) => [
    `add chain inet refusal ${hook} { type filter hook ${hook} priority 0; }`,
    `add rule inet refusal ${hook} ip daddr ${serviceRange.ipv4} reject`,
    `add rule inet refusal ${hook} ip6 daddr ${serviceRange.ipv6} reject`,
  ])
  .reduce((all, line) => `${all}; ${line}`, 'add table inet refusal');

test('without a proxy it says what is wrong, and leaves nothing behind', async () => {
  await using cluster = await StandInCluster.start();
  // So that nobody has to wait for answers that will not come.
  for (const { host } of nodes) await cluster.exec(host, ['nft', refusal]);
  const { exitCode, wrong, left } = outcome(await endToEnd(cluster, { withinMs: 0 }), cluster);
  expect(exitCode).toBe(1);
  expect(wrong.length).toBeGreaterThan(0);
  expect(left).toEqual([[], 0]);
});

test('stopped by a signal it leaves nothing behind', async () => {
  await using cluster = await StandInCluster.start();
  const stopping = new AbortController();
  const running = endToEnd(cluster, { cancelSignal: stopping.signal });
  // The first answer, which nobody gives.
  await new Promise((resolved) => running.stdout.once('data', resolved));
  stopping.abort();
  const { exitCode, left } = outcome(await running, cluster);
  expect({ exitCode, left }).toEqual({ exitCode: 2, left: [[], 0] });
});

async function imageInFolder(): Promise<Image> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-image-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return buildImage(folder);
}
