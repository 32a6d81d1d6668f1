// Services that the storm leaves alone, in all the ways in which rules differ, and the calls that must be
// answered at all times.
import { onTestFinished } from 'vitest';
import type { Clock } from '../../../src/cluster/api/clock.ts';
import { startAgent } from '../../../src/lab/agent-process.ts';
import type { Store } from '../../cluster/stand-in/store.ts';
import type { RawObject } from '../../cluster/stand-in/kinds.ts';
import type { NetworkNamespace } from '../../support/network-namespace.ts';

const endpoints = {
  IPv4: ['10.244.1.201', '10.244.1.202', '10.244.1.203'],
  IPv6: ['fd00:244:1::201', 'fd00:244:1::202', 'fd00:244:1::203'],
} as const;

type Target = { readonly to: string; readonly port: number; readonly protocol: 'tcp' | 'udp' };

const local = { internalTrafficPolicy: 'Local', externalTrafficPolicy: 'Local' };
const affinity = {
  sessionAffinity: 'ClientIP',
  sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } },
};
const ranges = ['0.0.0.0/0', '::/0'];

/** What tells each of them from a Service with nothing but cluster addresses. */
const kinds: readonly object[] = [
  {},
  { ...affinity },
  { internalTrafficPolicy: 'Local' },
  { type: 'NodePort', nodePort: 31_001, externalIPs: ['203.0.113.201', '2001:db8:1::201'] },
  { type: 'LoadBalancer', nodePort: 31_002, ...local, ...affinity },
  { type: 'LoadBalancer', nodePort: 31_003, loadBalancerSourceRanges: ranges },
];

/** Puts them on the server, with this Node and the ranges of Service addresses. */
export function putStanding(store: Store, node: RawObject): void {
  store.set('Node', node);
  const spec = { cidrs: ['10.96.0.0/16', 'fd00:96::/112'] };
  store.set('ServiceCIDR', { metadata: { name: 'kubernetes' }, spec });
  for (const [index, kind] of kinds.entries()) {
    store.set('Service', standing(index, kind));
    for (const family of ['IPv4', 'IPv6'] as const)
      store.set('EndpointSlice', sliceOf(index, family));
  }
}

function standing(index: number, { nodePort, ...spec }: { readonly nodePort?: number }): RawObject {
  const clusterIPs = [`10.96.2.${index}`, `fd00:96::2:${index}`];
  return {
    metadata: { name: `standing-${index}`, namespace: 'default' },
    spec: {
      type: 'ClusterIP',
      clusterIP: clusterIPs[0],
      clusterIPs,
      ports: (['TCP', 'UDP'] as const).map((protocol) => ({
        name: protocol.toLowerCase(),
        protocol,
        port: 80,
        ...(nodePort === undefined ? {} : { nodePort }),
      })),
      ...spec,
    },
    status: { loadBalancer: { ingress: nodePort === 31_003 ? [{ ip: '198.51.100.201' }] : [] } },
  };
}

function sliceOf(index: number, family: 'IPv4' | 'IPv6'): RawObject {
  return {
    metadata: {
      name: `standing-${index}-${family.toLowerCase()}`,
      namespace: 'default',
      labels: { 'kubernetes.io/service-name': `standing-${index}` },
    },
    addressType: family,
    ports: (['TCP', 'UDP'] as const).map((protocol) => ({
      name: protocol.toLowerCase(),
      protocol,
      port: 8080,
    })),
    endpoints: endpoints[family].map((address) => ({
      addresses: [address],
      conditions: { ready: true },
      nodeName: 'node-1',
    })),
  };
}

const targets: readonly Target[] = kinds.flatMap((_, index) =>
  [`10.96.2.${index}`, `fd00:96::2:${index}`].flatMap((to) =>
    (['tcp', 'udp'] as const).map((protocol): Target => ({ to, port: 80, protocol })),
  ),
);
const external: readonly Target[] = ['203.0.113.201', '2001:db8:1::201', '198.51.100.201'].map(
  (to): Target => ({ to, port: 80, protocol: 'tcp' }),
);

const betweenRoundsMs = 4000;
const never = new AbortController().signal;

/** Calls the standing Services of a node again and again until it is stopped. */
export type Caller = {
  /** How many calls were made, and those that nobody answered. */
  readonly stop: () => Promise<{ readonly calls: number; readonly unanswered: readonly string[] }>;
};

/** The endpoints live in the namespace itself, and so does who calls. */
export async function callStanding(
  { name, exec }: NetworkNamespace,
  clock: Clock,
): Promise<Caller> {
  const addresses = Object.values(endpoints).flat();
  const script = [
    'ip link set lo up',
    'ip link add pods type veth peer name far',
    'ip link set far up',
    'ip link set pods up',
    ...addresses.map(
      (ip) => `ip addr add ${ip}/${ip.includes(':') ? '128 dev pods nodad' : '32 dev pods'}`,
    ),
    'ip route add default dev pods',
    'ip -6 route add default dev pods',
  ];
  await exec('sh', ['-ec', script.join('\n')]);
  const setup = { name: 'pod', addresses, tcpPorts: [8080], udpPorts: [8080], echoPorts: [] };
  const agent = await startAgent(name, setup);
  let isOver = false;
  let calls = 0;
  const unanswered: string[] = [];
  const calling = (async () => {
    while (!isOver) {
      for (const target of [...targets, ...external]) {
        const tries = await agent.ask({ kind: 'probe', ...target, tries: 1 });
        calls += tries.length;
        const bad = tries.filter(({ result }) => result !== 'ok');
        for (const { result } of bad) {
          unanswered.push(`${target.protocol} ${target.to}: ${result}`);
        }
      }
      // The kernel is for the daemon, most of the time.
      await clock.delay(betweenRoundsMs, never);
    }
  })();
  const stop = async () => {
    isOver = true;
    await calling;
    return { calls, unanswered };
  };
  onTestFinished(async () => {
    await stop();
    await agent.close();
  });
  return { stop };
}
