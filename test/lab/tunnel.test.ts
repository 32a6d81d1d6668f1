// The process behind a UDP tunnel: what is said where it cannot start, and that packets pass by it alone.
// Needs root.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLab, type Lab } from '../../src/lab/lab.ts';
import { startTunnel } from '../../src/lab/pod-network/tunnel.ts';
import { nodes, pods } from '../../src/lab/topology.ts';

const [node, other] = nodes;

let lab: Lab;
beforeAll(async () => {
  lab = await createLab({ overlay: 'udp' });
});
afterAll(() => lab?.close());

test('a tunnel whose device is taken says so', async () => {
  const second = startTunnel(lab.namespace('n1'), { node, other });
  await expect(second).rejects.toThrow(/^the tunnel of n1 has ended:\n.*busy/s);
});

test('no packet of a pod is on the LAN but in UDP', async () => {
  await lab.exec('n1', ['nft', '-f', '-'], { input: watch });
  const [{ address }] = pods.filter(({ host }) => host === 'p21') as [(typeof pods)[number]];
  for (const to of Object.values(address)) {
    const tries = await lab.probe({ from: 'p11', to, port: 8080, protocol: 'tcp', tries: 1 });
    expect(tries.map(({ result }) => result)).toEqual(['ok']);
  }
  const { stdout } = await lab.exec('n1', ['nft', 'list', 'chain', 'netdev', 'test', 'lan']);
  const packets = [...stdout.matchAll(/counter packets (\d+)/g)].map(([, count]) => Number(count));
  expect(packets).toEqual([0, 0, expect.any(Number)]);
  expect(packets[2]).toBeGreaterThan(5);
});

const watch = `table netdev test {
  chain lan {
    type filter hook ingress device eth0 priority 0
    ip saddr 10.244.0.0/16 counter
    ip6 saddr fd00:244::/32 counter
    ip saddr 192.168.10.12 udp dport 8285 counter
  }
}`;
