// The lab itself, with no proxy in it: who reaches whom, what is refused, what stays silent, and that
// nothing is left of it. Real packets; needs root.
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Try } from '../../src/lab/agent/protocol.ts';
import { createLab, type Lab } from '../../src/lab/lab.ts';
import { type Dual, hosts, nodes, type Overlay, overlays } from '../../src/lab/topology.ts';

const ok = (name: string, source: string): Try => ({ result: 'ok', name, source });
const refused: Try = { result: 'refused' };
const timeout: Try = { result: 'timeout' };

/** What n1 sends from to pods of the other node: its address on the LAN, or that of its tunnel. */
const addressTowardsPods: Readonly<Record<Overlay, Dual>> = {
  'host-gw': nodes[0].lan,
  vxlan: nodes[0].tunnel,
  udp: nodes[0].tunnel,
  macvlan: nodes[0].lan,
};

describe.each(overlays)('a lab over %s', (overlay) => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await createLab({ overlay });
  });
  afterAll(() => lab.close());

  test.each([
    ['p11', '10.244.1.12', ok('p12', '10.244.1.11')],
    ['p11', '10.244.2.11', ok('p21', '10.244.1.11')],
    ['p11', 'fd00:244:1::12', ok('p12', 'fd00:244:1::11')],
    ['p11', 'fd00:244:2::11', ok('p21', 'fd00:244:1::11')],
    ['p22', '10.244.1.11', ok('p11', '10.244.2.12')],
    ['n1', '10.244.1.11', ok('p11', '10.244.1.1')],
    ['ext', '10.244.1.11', ok('p11', '192.168.10.99')],
    ['ext', 'fd00:244:2::12', ok('p22', 'fd00:10::99')],
    ['n1', '10.244.2.11', ok('p21', addressTowardsPods[overlay].ipv4)],
    ['n1', 'fd00:244:2::11', ok('p21', addressTowardsPods[overlay].ipv6)],
  ] as const)('%s reaches %s', async (from, to, answer) => {
    const tcp = await lab.probe({ from, to, port: 8080, protocol: 'tcp', tries: 2 });
    const udp = await lab.probe({ from, to, port: 5353, protocol: 'udp', tries: 2 });
    expect({ tcp, udp }).toEqual({ tcp: [answer, answer], udp: [answer, answer] });
  });

  test('a large answer fits on the way between nodes', async () => {
    const sent = await lab.exec('p11', [
      'sh',
      '-c',
      'head -c 100000 /dev/zero | curl -sS -m 2 --data-binary @- http://10.244.2.11:8080/',
    ]);
    expect(JSON.parse(sent.stdout)).toEqual({ name: 'p21', source: '10.244.1.11' });
  });
});

describe('a lab', () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await createLab();
  });
  afterAll(() => lab.close());

  test.each(['tcp', 'udp'] as const)('refuses where nobody listens (%s)', async (protocol) => {
    const tries = await lab.probe({
      from: 'p11',
      to: '10.244.2.11',
      port: 9999,
      protocol,
      tries: 24,
    });
    expect(tries).toEqual(Array.from({ length: 24 }, () => refused));
  });

  test.each([
    ['p13', '10.96.0.1'],
    ['n1', '10.96.0.1'],
    ['ext', '10.96.0.1'],
    ['p13', 'fd00:96::1'],
  ] as const)('is silent to %s about an address that nothing has: %s', async (from, to) => {
    const [tcp, udp] = await Promise.all(
      (['tcp', 'udp'] as const).map((protocol) =>
        lab.probe({ from, to, port: 80, protocol, tries: 2 }),
      ),
    );
    expect({ tcp, udp }).toEqual({ tcp: [timeout, timeout], udp: [timeout, timeout] });
  });

  test.each(['192.168.10.11', '10.244.1.1', 'fd00:10::11'])('a node answers on %s', async (to) => {
    const tries = await lab.probe({ from: 'p21', to, port: 18080, protocol: 'udp', tries: 1 });
    expect(tries).toEqual([ok('n1', to.includes(':') ? 'fd00:244:2::11' : '10.244.2.11')]);
  });

  test.each(['tcp', 'udp'] as const)(
    'tries come from the port that was asked for (%s)',
    async (protocol) => {
      const [port, sourcePort] = [8080, 40_044];
      await lab.exec('p12', ['nft', '-f', '-'], { input: onlyFrom(sourcePort) });
      const to = '10.244.1.12';
      const from = 'p11';
      const other = await lab.probe({ from, to, port, protocol, tries: 1 });
      const same = await lab.probe({ from, to, port, protocol, tries: 3, sourcePort });
      await lab.exec('p12', ['nft', 'delete table inet test']);
      const answer = ok('p12', '10.244.1.11');
      expect({ other, same }).toEqual({ other: [refused], same: [answer, answer, answer] });
    },
  );

  test('an HTTP probe tells status and body', async () => {
    const tries = await lab.probe({
      from: 'ext',
      to: '10.244.1.11',
      port: 9090,
      protocol: 'http',
      tries: 1,
    });
    const body = { name: 'p11', source: '192.168.10.99' };
    expect(tries).toEqual([{ result: 'page', status: 200, body }]);
  });

  test('a held connection answers while it stands, and not after a reset', async () => {
    const connection = 'one';
    const to = '10.244.2.11';
    const opened = await lab.hold('p11', { kind: 'open', connection, to, port: 7070 });
    const held = await lab.hold('p11', { kind: 'ping', connection });
    await lab.exec('p21', ['nft', '-f', '-'], { input: resetAll });
    const reset = await lab.hold('p11', { kind: 'ping', connection });
    await lab.hold('p11', { kind: 'close', connection });
    await lab.exec('p21', ['nft', 'delete table inet test']);
    const answer = ok('p21', '10.244.1.11');
    expect({ opened, held, reset }).toEqual({ opened: answer, held: answer, reset: refused });
  });

  test('a pod reaches itself by way of its node', async () => {
    await lab.exec('n1', ['nft', '-f', '-'], { input: hairpin });
    const tries = await lab.probe({
      from: 'p11',
      to: '10.96.0.7',
      port: 80,
      protocol: 'tcp',
      tries: 3,
    });
    const beside = await lab.probe({
      from: 'p12',
      to: '10.96.0.7',
      port: 80,
      protocol: 'tcp',
      tries: 1,
    });
    await lab.exec('n1', ['nft', 'delete table ip test']);
    const self = ok('p11', '10.244.1.1');
    expect({ tries, beside }).toEqual({
      tries: [self, self, self],
      beside: [ok('p11', '10.244.1.12')],
    });
  });
});

test('labs stand side by side, and leave nothing', async () => {
  const labs = await Promise.all([createLab(), createLab()]);
  const names = labs.flatMap((lab) => hosts.map((host) => lab.namespace(host)));
  expect(new Set(names).size).toBe(names.length);
  expect(await standing(names)).toEqual(new Set(names));
  const answers = await Promise.all(
    labs.map((lab) =>
      lab.probe({ from: 'p11', to: '10.244.2.11', port: 8080, protocol: 'tcp', tries: 1 }),
    ),
  );
  expect(answers).toEqual([[ok('p21', '10.244.1.11')], [ok('p21', '10.244.1.11')]]);
  await Promise.all(labs.flatMap((lab) => [lab.close(), lab.close()]));
  expect(await standing(names)).toEqual(new Set());
});

test('what a killed process has left behind is swept', async () => {
  const dead = execa('true');
  await dead;
  const left = `sluice-${dead.pid}-00c0de-n1`;
  const kept = `sluice-${process.pid}-00c0de-n1`;
  await execa('ip', ['netns', 'add', kept]);
  // In the namespace before that has a name: any lab that is made meanwhile may be the one to sweep it.
  const enter = `ip netns attach ${left} $$; echo; exec sleep 60`;
  const inside = execa('unshare', ['-n', 'sh', '-c', enter], { reject: false });
  await Promise.race([once(inside.stdout, 'data'), inside]);
  const lab = await createLab();
  await lab.close();
  const names = await standing([left, kept]);
  await execa('ip', ['netns', 'delete', kept]);
  expect(names).toEqual(new Set([kept]));
  expect((await inside).signal).toBe('SIGKILL');
});

async function standing(names: readonly string[]): Promise<ReadonlySet<string>> {
  const all = await readdir('/run/netns');
  return new Set(all.filter((name) => names.includes(name)));
}

function onlyFrom(port: number): string {
  return `table inet test {
    chain in {
      type filter hook input priority 0
      meta l4proto { tcp, udp } th dport 8080 th sport != ${port} reject with icmpx port-unreachable
    }
  }`;
}

const resetAll = `table inet test {
  chain in {
    type filter hook input priority 0
    tcp dport 7070 reject with tcp reset
  }
}`;

const hairpin = `table ip test {
  chain to {
    type nat hook prerouting priority -100
    ip daddr 10.96.0.7 tcp dport 80 dnat to 10.244.1.11:8080
  }
  chain from {
    type nat hook postrouting priority 100
    ip saddr 10.244.1.11 ip daddr 10.244.1.11 masquerade
  }
}`;
