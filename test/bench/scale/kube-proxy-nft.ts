// What kube-proxy in nftables mode has in the kernel for a cluster, IPv4: the layout that Sluice's is measured
// beside. Chains, their order, hooks and priorities are those of test/fixtures/kube-proxy. Pure.
import { hash } from 'node:crypto';
import {
  affinitySeconds,
  endpointIp,
  endpointsOf,
  localEndpoints,
  nodeIp,
  podRange,
  serviceRange,
  type BenchService,
  type ServicePort,
} from './cluster/services.ts';

// The kernel finds a set by a walk along all sets of the table: with one for each endpoint of all Services with
// affinity it takes minutes to load 10,000 Services, and stands still meanwhile.
const mostWithAffinity = 50;

/** Those of the Services with affinity that have it in what is written here; the others are as without. */
export function affinityServices(services: readonly BenchService[]): readonly BenchService[] {
  return services.filter(({ hasAffinity }) => hasAffinity).slice(0, mostWithAffinity);
}

/** The input for `nft -f`. */
export function kubeProxyNft(all: readonly BenchService[]): string {
  const withAffinity = new Set(affinityServices(all));
  const services = all.map((service) =>
    Object.assign({}, service, { hasAffinity: withAffinity.has(service) }),
  );
  const ports = services.flatMap((service) => service.ports.map((port) => portOf(service, port)));
  return [
    'table ip kube-proxy {',
    ...sets,
    ...ports.flatMap(affinitySets),
    ...baseChains,
    ...ports.flatMap(chains),
    '}',
    ...elements('cluster-ips', [...new Set(services.map(({ clusterIps: [ip] }) => ip))]),
    ...elements('nodeport-ips', [nodeIp]),
    ...elements('hairpin-connections', [...new Set(ports.flatMap(hairpins))]),
    ...elements('service-ips', ports.flatMap(dispatch)),
    ...elements('service-nodeports', ports.flatMap(nodePorts)),
    ...elements('no-endpoint-services', ports.flatMap(nobody)),
    ...elements('no-endpoint-nodeports', ports.flatMap(nobodyByNodePort)),
    '',
  ].join('\n');
}

type Endpoint = { readonly ip: string; readonly name: string };

/** One port of a Service, with what its names are made of. */
type Port = ServicePort & {
  readonly service: BenchService;
  readonly base: string;
  readonly layer4: 'tcp' | 'udp';
  readonly endpoints: readonly Endpoint[];
  /** Those on the node; what a Service of policy Local has from outside. */
  readonly local: readonly Endpoint[];
};

function portOf(service: BenchService, port: ServicePort): Port {
  const layer4 = port.protocol === 'TCP' ? 'tcp' : 'udp';
  const name = `${service.namespace}/${service.name}/${layer4}/${port.name}`;
  const endpoint = (number: number): Endpoint => {
    const ip = endpointIp(number);
    return { ip, name: hashed(`${name}__${ip}/${port.targetPort}`) };
  };
  return {
    ...port,
    service,
    base: hashed(name),
    layer4,
    endpoints: endpointsOf(service).map(endpoint),
    local: localEndpoints(service).map(endpoint),
  };
}

const base32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

// A name that begins with eight digits of its hash.
function hashed(name: string): string {
  const number = BigInt(`0x${hash('sha256', name).slice(0, 10)}`);
  const digits = Array.from({ length: 8 }, (_, n) => Number((number >> BigInt(35 - 5 * n)) & 31n));
  return `${digits.map((digit) => base32[digit]).join('')}-${name}`;
}

const byAddress = 'ipv4_addr . inet_proto . inet_service';

const sets: readonly string[] = [
  'set hairpin-connections { type ipv4_addr . ipv4_addr . inet_proto . inet_service; }',
  'set cluster-ips { type ipv4_addr; }',
  'set nodeport-ips { type ipv4_addr; }',
  `map no-endpoint-services { type ${byAddress} : verdict; }`,
  'map no-endpoint-nodeports { type inet_proto . inet_service : verdict; }',
  `map firewall-ips { type ${byAddress} : verdict; }`,
  `map service-ips { type ${byAddress} : verdict; }`,
  'map service-nodeports { type inet_proto . inet_service : verdict; }',
];

const toAddress = 'ip daddr . meta l4proto . th dport vmap';
const toNodePort = 'ip daddr @nodeport-ips meta l4proto . th dport vmap';
const mark = 'meta mark set meta mark | 0x4000';

const baseChains: readonly string[] = [
  chain('reject-chain', ['reject']),
  chain('nodeport-endpoints-check', [`${toNodePort} @no-endpoint-nodeports`]),
  chain('service-endpoints-check', [`${toAddress} @no-endpoint-services`]),
  chain('firewall-check', [`${toAddress} @firewall-ips`]),
  chain('services', [
    `ip daddr @cluster-ips ip saddr != ${podRange} ${mark}`,
    `${toAddress} @service-ips`,
    `${toNodePort} @service-nodeports`,
  ]),
  chain('masquerading', [
    'meta mark & 0x4000 != 0 meta mark set meta mark ^ 0x4000 masquerade fully-random',
    'ct status dnat ip saddr . ip daddr . meta l4proto . th dport @hairpin-connections masquerade fully-random',
  ]),
  chain('cluster-ips-check', ['ip daddr @cluster-ips reject', `ip daddr ${serviceRange} drop`]),
  hook('filter-prerouting-pre-dnat', 'filter hook prerouting priority -110', [
    'ct state new jump firewall-check',
  ]),
  hook('filter-output-pre-dnat', 'filter hook output priority -110', [
    'ct state new jump firewall-check',
  ]),
  hook('filter-input', 'filter hook input priority 0', [
    'ct state new jump nodeport-endpoints-check',
    'ct state new jump service-endpoints-check',
  ]),
  ...['forward', 'output'].map((name) =>
    hook(`filter-${name}`, `filter hook ${name} priority 0`, [
      'ct state new jump service-endpoints-check',
      'ct state new jump cluster-ips-check',
    ]),
  ),
  hook('nat-prerouting', 'nat hook prerouting priority -100', ['jump services']),
  hook('nat-output', 'nat hook output priority -100', ['jump services']),
  hook('nat-postrouting', 'nat hook postrouting priority 100', ['jump masquerading']),
];

function chain(name: string, rules: readonly string[]): string {
  return `chain ${name} {\n${rules.map((rule) => `${rule}\n`).join('')}}`;
}

function hook(name: string, where: string, rules: readonly string[]): string {
  return chain(name, [`type ${where};`, ...rules]);
}

function affinitySets({ service, endpoints }: Port): readonly string[] {
  if (!service.hasAffinity) return [];
  return endpoints.map(
    ({ name }) =>
      `set affinity-${name} { type ipv4_addr; flags dynamic,timeout; timeout ${affinitySeconds}s; }`,
  );
}

// As nft wants names that are used to be there already: endpoints first, the outside last.
function chains(port: Port): readonly string[] {
  const { service, base, endpoints, local, layer4, targetPort } = port;
  const ofEndpoints = service.hasAffinity
    ? endpoints.map(({ ip, name }) =>
        chain(`endpoint-${name}`, [
          `update @affinity-${name} { ip saddr }`,
          `meta l4proto ${layer4} dnat to ${ip}:${targetPort}`,
        ]),
      )
    : [];
  const hasLocal = service.isLocal && local.length > 0;
  return [
    ...ofEndpoints,
    chain(`service-${base}`, balance(port, endpoints)),
    ...(hasLocal ? [chain(`local-${base}`, balance(port, local))] : []),
    ...(service.type === 'ClusterIP' ? [] : [chain(`external-${base}`, external(port))]),
  ];
}

function balance(port: Port, endpoints: readonly Endpoint[]): readonly string[] {
  const { service, layer4, targetPort } = port;
  const among = `numgen random mod ${endpoints.length}`;
  if (!service.hasAffinity) {
    const slots = endpoints.map(({ ip }, n) => `${n} : ${ip} . ${targetPort}`);
    return [`meta l4proto ${layer4} dnat ip to ${among} map { ${slots.join(', ')} }`];
  }
  const slots = endpoints.map(({ name }, n) => `${n} : goto endpoint-${name}`);
  return [
    ...endpoints.map(({ name }) => `ip saddr @affinity-${name} goto endpoint-${name}`),
    `${among} vmap { ${slots.join(', ')} }`,
  ];
}

function external({ service, base, local }: Port): readonly string[] {
  if (!service.isLocal) return [mark, `goto service-${base}`];
  return [
    `ip saddr ${podRange} goto service-${base}`,
    `fib saddr type local ${mark}`,
    `fib saddr type local goto service-${base}`,
    ...(local.length > 0 ? [`goto local-${base}`] : []),
  ];
}

function hairpins({ local, layer4, targetPort }: Port): readonly string[] {
  return local.map(({ ip }) => `${ip} . ${ip} . ${layer4} . ${targetPort}`);
}

function dispatch({ service, base, layer4, port }: Port): readonly string[] {
  const { clusterIps, loadBalancerIp } = service;
  const own = `${clusterIps[0]} . ${layer4} . ${port} : goto service-${base}`;
  if (loadBalancerIp === undefined) return [own];
  return [own, `${loadBalancerIp} . ${layer4} . ${port} : goto external-${base}`];
}

function nodePorts({ base, layer4, nodePort }: Port): readonly string[] {
  return nodePort === undefined ? [] : [`${layer4} . ${nodePort} : goto external-${base}`];
}

function nobody({ service, local, layer4, port }: Port): readonly string[] {
  const { loadBalancerIp, isLocal } = service;
  if (loadBalancerIp === undefined || !isLocal || local.length > 0) return [];
  return [`${loadBalancerIp} . ${layer4} . ${port} : drop`];
}

function nobodyByNodePort({ service, local, layer4, nodePort }: Port): readonly string[] {
  if (nodePort === undefined || !service.isLocal || local.length > 0) return [];
  return [`${layer4} . ${nodePort} : drop`];
}

// More in one command take nft's parser long.
const mostInOneCommand = 500;

function elements(name: string, all: readonly string[]): readonly string[] {
  const commands: string[] = [];
  for (let at = 0; at < all.length; at += mostInOneCommand) {
    const some = all.slice(at, at + mostInOneCommand).join(', ');
    commands.push(`add element ip kube-proxy ${name} { ${some} }`);
  }
  return commands;
}
