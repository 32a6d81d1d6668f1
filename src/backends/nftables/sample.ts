// A small Program with one of everything that our rules can hold: each kind of set, map, chain, rule and
// element. What an nft takes of it, it takes of any ruleset of ours. Pure.
import type { FrontendAddress, Pool } from '../../model/forwarding.ts';
import type { Cidr, Ip } from '../../model/ip.ts';
import type { Protocol, TrafficPolicy } from '../../model/kubernetes.ts';
import { serviceKey } from '../../model/kubernetes.ts';
import type {
  Action,
  DispatchEntry,
  Match,
  Part,
  ServiceChain,
  ServiceRules,
} from '../../model/ruleset.ts';
import type { Program } from '../../netfilter/program.ts';
import { NftAssembly } from './compile/assembly.ts';
import type { NftUnit } from './unit.ts';

/** The Program; addresses are those that RFC 5737 sets aside for examples. */
export function sampleProgram(): Program<NftUnit> {
  const assembly = new NftAssembly('IPv4', parts, 'endpoints');
  assembly.replace(new Map([[service, sampleService]]));
  return assembly.whole();
}

const mark = 1;
const serviceIp = '192.0.2.1' as Ip;
const cidr = '192.0.2.128/25' as Cidr;
const service = serviceKey('sluice', 'sample');
const why = 'sample';

function rule<A extends Action, W extends readonly Match[]>(then: A, ...when: W) {
  return { when, then, why };
}

const parts: readonly Part[] = [
  {
    name: 'source-ranges',
    hooks: ['filter-prerouting-pre-dnat', 'filter-output-pre-dnat'],
    newConnectionsOnly: true,
    rules: [rule({ kind: 'dispatch', dispatch: 'source-ranges', by: 'address' })],
  },
  {
    name: 'services',
    hooks: ['nat-prerouting', 'nat-output'],
    newConnectionsOnly: false,
    rules: [
      rule({ kind: 'dispatch', dispatch: 'services', by: 'address' }),
      rule(
        { kind: 'dispatch', dispatch: 'services', by: 'node-port' },
        { kind: 'to-node-port-address', addresses: { kind: 'any-local', except: cidr } },
      ),
      rule(
        { kind: 'dispatch', dispatch: 'services', by: 'node-port' },
        {
          kind: 'to-node-port-address',
          addresses: { kind: 'addresses', ips: ['192.0.2.3' as Ip] },
        },
      ),
    ],
  },
  {
    name: 'no-endpoints',
    hooks: ['filter-input', 'filter-forward', 'filter-output'],
    newConnectionsOnly: true,
    rules: [
      rule({ kind: 'dispatch', dispatch: 'no-endpoints', by: 'address' }),
      rule({ kind: 'dispatch', dispatch: 'no-external-endpoints', by: 'node-port' }),
    ],
  },
  {
    name: 'cluster-ips',
    hooks: ['filter-forward'],
    newConnectionsOnly: true,
    rules: [
      rule({ kind: 'reject' }, { kind: 'to-cluster-ip' }),
      rule({ kind: 'drop' }, { kind: 'to-cidr', cidr }),
    ],
  },
  {
    name: 'masquerading',
    hooks: ['nat-postrouting'],
    newConnectionsOnly: false,
    rules: [
      rule({ kind: 'masquerade', mark }, { kind: 'marked', mark }),
      rule({ kind: 'masquerade', mark }, { kind: 'hairpin', endpoints: 'on-this-node' }),
    ],
  },
];

function pool(policy: TrafficPolicy, affinitySeconds: number): Pool {
  const members = ['192.0.2.4', '192.0.2.5'].map((ip) => ({
    ip: ip as Ip,
    port: 8080,
    isLocal: true,
  }));
  return { members, skipped: [], policy, affinitySeconds, reasons: [] };
}

/** A chain with every match and action that Service ports have. */
function chain(protocol: Protocol, affinitySeconds: number): ServiceChain {
  const fromPod = { kind: 'from-pod', is: true, podSource: { kind: 'cidr', cidr } } as const;
  const byInterface = {
    kind: 'from-pod',
    is: false,
    podSource: { kind: 'interface-prefix', prefix: 'veth' },
  } as const;
  const cluster = { kind: 'balance', pool: pool('Cluster', affinitySeconds) } as const;
  const rules = [
    rule(cluster, fromPod),
    rule({ kind: 'mark', mark }, { kind: 'from-node' }, byInterface),
    rule({ kind: 'balance', pool: pool('Local', affinitySeconds) }),
  ];
  const portName = `${protocol}-${affinitySeconds}`;
  return { kind: 'external', service, portName, protocol, rules };
}

function entry(
  dispatch: DispatchEntry['dispatch'],
  address: FrontendAddress,
  to: DispatchEntry['to'],
): DispatchEntry {
  return { dispatch, address, to, portName: '', why };
}

const protocols: readonly Protocol[] = ['tcp', 'udp', 'sctp'];

const restriction: ServiceChain = {
  kind: 'source-ranges',
  service,
  portName: '',
  protocol: 'tcp',
  rules: [
    rule({ kind: 'return' }, { kind: 'from-cidr', is: true, cidr }),
    rule({ kind: 'drop' }, { kind: 'from-cidr', is: false, cidr }),
  ],
};

const sampleService: ServiceRules = {
  service,
  family: 'IPv4',
  clusterIps: [serviceIp],
  entries: [
    ...protocols.flatMap((protocol) => [
      entry('services', { ip: serviceIp, protocol, port: 80 }, chain(protocol, 0)),
      entry('services', { ip: serviceIp, protocol, port: 81 }, chain(protocol, 60)),
      entry('services', { ip: undefined, protocol, port: 30080 }, chain(protocol, 0)),
    ]),
    entry('source-ranges', { ip: serviceIp, protocol: 'tcp', port: 80 }, restriction),
    entry('no-endpoints', { ip: serviceIp, protocol: 'tcp', port: 82 }, { verdict: 'reject' }),
    entry('no-endpoints', { ip: serviceIp, protocol: 'tcp', port: 83 }, { verdict: 'drop' }),
    entry(
      'no-external-endpoints',
      { ip: undefined, protocol: 'tcp', port: 30083 },
      { verdict: 'drop' },
    ),
  ],
};
