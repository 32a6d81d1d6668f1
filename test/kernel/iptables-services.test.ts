// What packets of every kind meet under the iptables backend's rules, in real kernels: a client, the
// node with the rules, and pods behind it, each in a network namespace.
import { once } from 'node:events';
import { execa } from 'execa';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { IptablesUnit } from '../../src/backends/iptables/unit.ts';
import { allowRouteLocalnet, restoreRouteLocalnet } from '../../src/host/kernel/route-localnet.ts';
import type { Exec } from '../../src/host/tools/exec.ts';
import type { ServiceKey } from '../../src/model/kubernetes.ts';
import type { ServiceRules } from '../../src/model/ruleset.ts';
import { plan } from '../../src/netfilter/plan.ts';
import type { Machine } from '../support/iptables-machine.ts';
import { machine } from '../support/iptables-machine.ts';
import { variants } from '../support/one-variant.ts';
import { networkNamespace } from '../support/network-namespace.ts';
import { assembly, cidr, decided, ip } from '../unit/backends/iptables/fixture.ts';

const nothing = new Map<string, IptablesUnit>();

// The pod and client sides of the node have the first address of each net.
const node = '192.0.2.1';
const client = '192.0.2.9';
const stranger = '192.0.2.66';
/** A pod on another node, at the client's side. */
const farPod = '10.244.9.9';
const podGateway = '10.244.1.1';
const [local, remote, other] = ['10.244.1.11', '10.244.2.11', '10.244.1.12'] as const;

type Stand = Machine & {
  readonly client: Exec;
  readonly pods: Exec;
  /** Applies what differs from what was applied before. */
  readonly hold: (...services: readonly ServiceRules[]) => Promise<void>;
};

async function stand(variant: (typeof variants)[number]): Promise<Stand> {
  const made = await machine(variant);
  const outside = await networkNamespace();
  const inside = await networkNamespace();
  await link(made, { to: outside.name, at: [`${node}/24`] });
  await link(made, { to: inside.name, at: [`${podGateway}/24`, '10.244.2.1/24'] });
  await configure(outside.exec, [`${client}/24`, `${stranger}/24`, `${farPod}/32`], node);
  const pods = [local, other, remote].map((address) => `${address}/24`);
  await configure(inside.exec, pods, podGateway);
  await made.exec('sh', ['-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward; ip link set lo up']);
  // Service addresses that are not the node's own leave it, where no rule says otherwise.
  await made.exec('ip', ['route', 'add', 'default', 'via', client]);
  await made.exec('ip', ['route', 'add', farPod, 'via', client]);
  await serve(inside.name);
  const units = assembly('IPv4', []);
  let held: readonly ServiceKey[] = [];
  await made.backend.apply('IPv4', plan(nothing, units.whole()));
  const hold: Stand['hold'] = async (...services) => {
    const pieces = new Map<ServiceKey, ServiceRules | undefined>();
    for (const key of held) pieces.set(key, undefined);
    for (const rules of services) pieces.set(rules.service, rules);
    held = services.map(({ service }) => service);
    const { before, after } = units.replace(pieces);
    await made.backend.apply('IPv4', plan(before, after));
    expect(await made.backend.observe('IPv4')).toEqual(units.whole());
  };
  return { ...made, client: outside.exec, pods: inside.exec, hold };
}

async function link(
  { exec }: Machine,
  { to, at }: { readonly to: string; readonly at: readonly string[] },
): Promise<void> {
  const end = `v${to.slice(-8)}`.replaceAll(/[^a-z0-9]/g, '');
  const peer = ['peer', 'name', 'eth0', 'netns', to];
  await exec('ip', ['link', 'add', end, 'type', 'veth', ...peer]);
  for (const address of at) await exec('ip', ['address', 'add', address, 'dev', end]);
  await exec('ip', ['link', 'set', end, 'up']);
}

async function configure(exec: Exec, addresses: readonly string[], via: string): Promise<void> {
  for (const dev of ['lo', 'eth0']) await exec('ip', ['link', 'set', dev, 'up']);
  for (const address of addresses) await exec('ip', ['address', 'add', address, 'dev', 'eth0']);
  await exec('ip', ['route', 'add', 'default', 'via', via]);
}

/** Answers over HTTP at port 8080 with its own address and the client's as it sees it. */
async function serve(namespace: string, at = '0.0.0.0'): Promise<void> {
  const program = `require('node:http')
    .createServer(({ socket }, answer) =>
      answer.end(socket.localAddress + ' for ' + socket.remoteAddress))
    .listen(8080, '${at}', () => console.log('listening'));`;
  const server = execa('ip', ['netns', 'exec', namespace, process.execPath, '-e', program], {
    reject: false,
  });
  onTestFinished(async () => {
    server.kill();
    await server;
  });
  await Promise.race([once(server.stdout, 'data'), server]);
}

const curlOutcomes: Readonly<Record<number, string>> = { 7: 'refused', 28: 'dropped' };

/** What becomes of one connection: who answers, or that nobody does. */
async function get(exec: Exec, to: string, from?: string): Promise<string> {
  const args = [
    '--silent',
    '--max-time',
    '1',
    ...(from === undefined ? [] : ['--interface', from]),
  ];
  const { stdout, exitCode } = await exec('curl', [...args, `http://${to}/`], {
    allowedExitCodes: [7, 28],
  });
  return curlOutcomes[exitCode] ?? stdout;
}

/** All different outcomes of some connections, sorted. */
async function outcomes(exec: Exec, to: string, from?: string): Promise<readonly string[]> {
  const seen = new Set<string>();
  for (let tries = 0; tries < 16; tries += 1) seen.add(await get(exec, to, from));
  return [...seen].toSorted();
}

describe.each(variants)('%s', (variant) => {
  let made: Stand;
  beforeEach(async () => {
    made = await stand(variant);
  });

  test('a node port answers at every address of the node, masqueraded', async () => {
    await made.hold(
      decided('ns/web', '10.96.0.1', { nodePort: 30080, local: [local], remote: [remote] }),
      decided('ns/none', '10.96.0.2', { nodePort: 30081 }),
    );
    const both = [`${local} for ${podGateway}`, `${remote} for 10.244.2.1`];
    expect(await outcomes(made.client, `${node}:30080`)).toEqual(both);
    expect(await outcomes(made.client, `${podGateway}:30080`)).toEqual(both);
    expect(await outcomes(made.exec, `${node}:30080`)).toEqual(both);
    expect(await get(made.client, `${node}:30081`)).toBe('refused');
    // Not the node's own.
    expect(await get(made.client, '198.51.100.1:30080')).toBe('dropped');
  });

  test('a node port is found among many, of many Services', async () => {
    const services = Array.from({ length: 60 }, (_, n) =>
      decided(`ns/s${n}`, `10.96.1.${n}`, {
        nodePort: 30000 + n * 7,
        ...(n % 2 === 0 ? { local: [local] } : {}),
      }),
    );
    await made.hold(...services);
    for (const n of [0, 1, 20, 37, 58, 59]) {
      const outcome = await get(made.client, `${node}:${30000 + n * 7}`);
      expect([n, outcome]).toEqual([n, n % 2 === 0 ? `${local} for ${podGateway}` : 'refused']);
    }
  });

  test('a node port at localhost needs route_localnet, which lets nobody else in', async () => {
    await made.hold(decided('ns/web', '10.96.0.1', { nodePort: 30080, local: [local] }));
    expect(await get(made.exec, '127.0.0.1:30080')).toBe('dropped');
    expect(await allowRouteLocalnet(made.exec)).toBe(false);
    expect(await get(made.exec, '127.0.0.1:30080')).toBe(`${local} for ${podGateway}`);
    expect(await allowRouteLocalnet(made.exec)).toBe(true);

    // A neighbour that sends to the node's loopback: it gets in where our rule is not.
    await serve(made.name, '127.0.0.1');
    const toLoopback = `ip address flush dev lo; ip route add 127.0.0.0/8 via ${node} src ${client};
      echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet`;
    await made.client('sh', ['-c', toLoopback]);
    expect(await get(made.client, '127.0.0.1:8080')).toBe('dropped');
    await made.exec('iptables', ['-F', 'KUBE-FIREWALL']);
    expect(await get(made.client, '127.0.0.1:8080')).toBe(`127.0.0.1 for ${client}`);

    await restoreRouteLocalnet(made.exec, false);
    expect(await get(made.exec, '127.0.0.1:30080')).toBe('dropped');
  });

  test('externalTrafficPolicy Local: others see this node alone, the cluster sees all', async () => {
    const is = {
      externalTrafficPolicy: 'Local',
      externalIps: [ip('203.0.113.1')],
      loadBalancerIps: [ip('203.0.113.2')],
    } as const;
    const places = { local: [local], remote: [remote] };
    await made.hold(
      decided('ns/web', '10.96.0.1', { is, nodePort: 30080, ...places }),
      decided('ns/far', '10.96.0.2', {
        is: { externalTrafficPolicy: 'Local', externalIps: [ip('203.0.113.3')] },
        nodePort: 30081,
        remote: [remote],
      }),
    );
    const viaNode = [`${local} for ${podGateway}`, `${remote} for 10.244.2.1`];
    for (const address of ['203.0.113.1', '203.0.113.2', `${node}:30080`]) {
      expect(await outcomes(made.client, address, client)).toEqual([`${local} for ${client}`]);
      expect(await outcomes(made.exec, address)).toEqual(viaNode);
      const asPod = [`${local} for ${farPod}`, `${remote} for ${farPod}`];
      expect(await outcomes(made.client, address, farPod)).toEqual(asPod);
    }
    for (const address of ['203.0.113.3', `${node}:30081`]) {
      expect(await get(made.client, address)).toBe('dropped');
      expect(await get(made.exec, address)).toBe(`${remote} for 10.244.2.1`);
      expect(await get(made.client, address, farPod)).toBe(`${remote} for ${farPod}`);
    }
  });

  test('source ranges let in those they name, and hold for the load balancer alone', async () => {
    const is = {
      loadBalancerIps: [ip('203.0.113.1')],
      externalIps: [ip('203.0.113.2')],
      sourceRanges: [cidr(`${client}/32`), cidr(`${other}/32`)],
    };
    await made.hold(decided('ns/web', '10.96.0.1', { is, nodePort: 30080, local: [local] }));
    const answered = `${local} for ${podGateway}`;
    expect(await get(made.client, '203.0.113.1', client)).toBe(answered);
    expect(await get(made.client, '203.0.113.1', stranger)).toBe('dropped');
    expect(await get(made.exec, '203.0.113.1')).toBe('dropped');
    expect(await get(made.pods, '203.0.113.1', other)).toBe(answered);
    expect(await get(made.pods, '203.0.113.1', remote)).toBe('dropped');
    for (const address of ['203.0.113.2', `${node}:30080`]) {
      expect(await get(made.client, address, stranger)).toBe(answered);
    }
  });

  test('a client stays with its endpoint, whichever others come and go', async () => {
    const spec = { is: { affinitySeconds: 600 }, nodePort: 30080 };
    const web = (...addresses: readonly string[]): ServiceRules =>
      decided('ns/web', '10.96.0.1', { ...spec, local: addresses });
    await made.hold(web(local, remote, other));
    const [first, ...more] = await outcomes(made.client, `${node}:30080`, client);
    expect(more).toEqual([]);
    const chosen = first?.split(' ')[0] ?? '';
    const others = [local, remote, other].filter((address) => address !== chosen);
    // By its ClusterIP the Service is the same.
    expect(await outcomes(made.client, '10.96.0.1', client)).toEqual([first]);
    for (const addresses of [[chosen, others[0] ?? ''], [chosen], [chosen, ...others]]) {
      await made.hold(web(...addresses));
      expect(await outcomes(made.client, `${node}:30080`, client)).toEqual([first]);
    }
    // Nor where another Service changes, or other rules of the same chains.
    const is = { ...spec.is, externalTrafficPolicy: 'Local' } as const;
    const localAlone = decided('ns/web', '10.96.0.1', {
      ...spec,
      is,
      local: [local, remote, other],
    });
    await made.hold(localAlone, decided('ns/b', '10.96.0.2', { local: [local] }));
    const [again, ...rest] = await outcomes(made.client, `${node}:30080`, client);
    expect([again?.split(' ')[0], rest]).toEqual([chosen, []]);
    // Its own going makes it choose anew, and it stays there when that one comes back.
    await made.hold(web(...others));
    const [second, ...strays] = await outcomes(made.client, `${node}:30080`, client);
    expect([strays, second === first]).toEqual([[], false]);
    await made.hold(web(chosen, ...others));
    expect(await outcomes(made.client, `${node}:30080`, client)).toEqual([second]);
  });

  test('a health check port is let in where the host drops what is not', async () => {
    const is = {
      externalTrafficPolicy: 'Local',
      healthCheckNodePort: 32000,
      loadBalancerIps: [ip('203.0.113.1')],
    } as const;
    await made.hold(decided('ns/web', '10.96.0.1', { is, local: [local] }));
    const input = ['-t', 'filter', '-A', 'INPUT', '-p', 'tcp', '-j', 'DROP'];
    await made.exec('iptables', input);
    // Nothing listens here: the kernel itself refuses what is let in.
    expect(await get(made.client, `${node}:32000`)).toBe('refused');
    expect(await get(made.client, `${node}:32001`)).toBe('dropped');
  });
});
