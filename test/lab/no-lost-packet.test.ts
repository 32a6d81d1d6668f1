// While a node's rules change hands no connection fails, none is late, none breaks: clients in a pod, on the
// node and outside open and hold connections all the time. The bench has more of it. Real packets; needs root.
import { expect, test } from 'vitest';
import type { SluiceProcess } from '../../src/lab/sluice-process.ts';
import type { ProxyMode } from '../../src/model/config.ts';
import { createStage, lossesOf, type Stage } from '../bench/takeover/stage.ts';

const options = { services: 6, clients: { p13: 10, n1: 30, ext: 30 }, afterEventMs: 200 } as const;

/** Carries an event out; fails where anything was lost. */
async function expectNoLoss(
  { count }: Stage,
  event: string,
  carryOut: () => Promise<unknown>,
): Promise<void> {
  const report = await count(event, carryOut);
  expect(lossesOf(report), event).toEqual([]);
  expect(report.opened).toBe(report.tried);
  expect(report.tried).toBeGreaterThan(100);
}

test.each<[kubeProxy: ProxyMode, first: ProxyMode, second: ProxyMode]>([
  ['nftables', 'iptables', 'nftables'],
  ['iptables', 'nftables', 'iptables'],
])('from kube-proxy in %s mode to %s, to %s, and back', async (kubeProxy, first, second) => {
  await using stage = await createStage({ ...options, kubeProxy });
  await expectNoLoss(stage, `takeover to ${first}`, () => stage.takeover(first));
  let sluice: SluiceProcess | undefined;
  for (const mode of [second, first]) {
    await expectNoLoss(stage, `switch to ${mode}`, async () => {
      await sluice?.stop();
      sluice = await stage.run(mode);
    });
  }
  await sluice?.stop();
  await expectNoLoss(stage, 'rollback', () => stage.rollback());
});

test('a loss is seen', async () => {
  await using stage = await createStage({ ...options, kubeProxy: 'nftables' });
  const { lab } = stage;
  const report = await stage.count('outage', async () => {
    await lab.exec('n1', ['nft', '-f', '-'], { input: outage });
    await lab.hold('ext', { kind: 'ping', connection: '10.96.20.3:81' });
    await lab.exec('n1', ['nft', 'delete', 'table', 'ip', 'outage']);
  });
  expect(report.failed['refused']).toBeGreaterThan(0);
  expect(report.broken).toContain('10.96.20.3:81 from ext: refused');
});

const outage = `table ip outage {
  chain forward {
    type filter hook forward priority 0;
    tcp dport { 7001, 7070 } reject with tcp reset
  }
}`;
