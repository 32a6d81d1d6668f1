// Services for the tests of the iptables backend, through the real rule book.
import { buildParts, buildService } from '../../../../rules/index.ts';
import { createIptablesBackend } from '../../../../src/backends/iptables/backend.ts';
import type { IptablesUnit } from '../../../../src/backends/iptables/unit.ts';
import type { Assembly } from '../../../../src/backends/backend.ts';
import type { Exec } from '../../../../src/host/tools/exec.ts';
import type { Endpoint, Frontend } from '../../../../src/model/forwarding.ts';
import type { Cidr, Family, Ip } from '../../../../src/model/ip.ts';
import { familyOf, parseCidr, parseIp } from '../../../../src/model/ip.ts';
import type {
  EndpointSlice,
  Protocol,
  Service,
  ServiceKey,
  SliceEndpoint,
} from '../../../../src/model/kubernetes.ts';
import { serviceKey } from '../../../../src/model/kubernetes.ts';
import type { ServiceRules } from '../../../../src/model/ruleset.ts';
import type { FamilySettings, PodSource } from '../../../../src/model/settings.ts';
import { internalSource } from '../../../../src/resolve/context.ts';
import { resolveService } from '../../../../src/resolve/service.ts';

/** One port of a Service: its address, and `ip port` of its endpoints. */
export type PortSpec = {
  readonly name?: string;
  readonly protocol?: Protocol;
  readonly port?: number;
  readonly endpoints: readonly (readonly [ip: string, port: number])[];
};

const podCidrs: Readonly<Record<Family, string>> = {
  IPv4: '10.244.0.0/16',
  IPv6: 'fd00:10:244::/56',
};

export function settings(family: Family, podSource?: PodSource): FamilySettings {
  return {
    family,
    masqueradeMark: 0x4000,
    masqueradeAll: false,
    podSource: podSource ?? { kind: 'cidr', cidr: cidr(podCidrs[family]) },
    guardsClusterIps: false,
    acceptsForwarded: true,
    dropsInvalid: true,
    serviceCidrs: [],
    nodePortIps: [],
    apiServers: [],
    nodePorts: {
      kind: 'any-local',
      except: family === 'IPv6' ? cidr('::1/128') : undefined,
    },
    localhostNodePorts: family === 'IPv4',
    refusesAtEveryHook: false,
    hairpins: 'all',
    acceptsHealthChecks: true,
  };
}

export function ip(text: string): Ip {
  const parsed = parseIp(text);
  if (parsed === undefined) throw new Error(`no address: ${text}`);
  return parsed;
}

export function cidr(text: string): Cidr {
  const parsed = parseCidr(text);
  if (parsed === undefined) throw new Error(`no CIDR: ${text}`);
  return parsed;
}

const cause = { object: 'configuration', field: 'clusterCIDR', value: '10.0.0.0/8' } as const;
const internal = internalSource(false, {
  source: { kind: 'cidr', cidr: cidr('10.0.0.0/8') },
  cause,
});

/** The rules of a Service; a port without endpoints is refused. */
export function service(
  key: string,
  address: string,
  { ports, under }: { readonly ports: readonly PortSpec[]; readonly under?: FamilySettings },
): ServiceRules {
  const clusterIp = ip(address);
  const family: Family = address.includes(':') ? 'IPv6' : 'IPv4';
  const frontends = ports.map((spec): Frontend => {
    const { name = 'http', protocol = 'tcp', port = 80, endpoints } = spec;
    const members = endpoints.map(([endpoint, endpointPort]): Endpoint => ({
      ip: ip(endpoint),
      port: endpointPort,
      isLocal: true,
    }));
    const chosen = { policy: 'Cluster', affinitySeconds: 0, reasons: [] } as const;
    const pool = { members, skipped: [], ...chosen };
    const policy = { kind: 'policy-cluster', ...cause } as const;
    return {
      kind: 'ClusterIP',
      address: { ip: clusterIp, protocol, port },
      service: key as ServiceKey,
      portName: name,
      route:
        members.length === 0
          ? { kind: 'reject', pool, policy }
          : { kind: 'forward', pool, policy, ...internal },
      allowFrom: undefined,
      openTo: [],
    };
  });
  const forwarding = {
    service: key as ServiceKey,
    family,
    frontends,
    healthCheck: undefined,
  };
  return buildService(forwarding, under ?? settings(family));
}

/** Where the endpoints of a Service are, all ready: local ones on the node that the rules are for. */
export type Places = { readonly local?: readonly string[]; readonly remote?: readonly string[] };

/** The rules of a Service with one port, 80 (`http`), through the real decisions; endpoints at 8080. */
export function decided(
  key: string,
  clusterIp: string,
  {
    is = {},
    nodePort = 0,
    ...places
  }: Places & {
    readonly is?: Partial<Service>;
    readonly nodePort?: number;
  },
): ServiceRules {
  const family = familyOf(ip(clusterIp));
  const [namespace = '', name = ''] = key.split('/');
  const value: Service = {
    key: serviceKey(namespace, name),
    namespace,
    name,
    createdAt: '',
    type: 'LoadBalancer',
    clusterIps: [ip(clusterIp)],
    ports: [{ name: 'http', protocol: 'tcp', port: 80, nodePort }],
    externalIps: [],
    loadBalancerIps: [],
    sourceRanges: [],
    internalTrafficPolicy: 'Cluster',
    externalTrafficPolicy: 'Cluster',
    affinitySeconds: 0,
    healthCheckNodePort: 0,
    ...is,
  };
  const context = {
    family,
    nodeName: 'node-1',
    zone: '',
    internal,
    nodeIp: undefined,
  };
  const slice = sliceOf(value, family, places);
  return buildService(resolveService(value, [slice], context), settings(family));
}

function sliceOf(
  { key, namespace, name }: Service,
  family: Family,
  { local = [], remote = [] }: Places,
): EndpointSlice {
  const endpoint = (address: string, nodeName: string): SliceEndpoint => ({
    ip: ip(address),
    state: {
      nodeName,
      ready: true,
      serving: true,
      terminating: false,
      zoneHints: [],
      nodeHints: [],
    },
  });
  return {
    namespace,
    name: `${name}-1`,
    service: key,
    family,
    ports: [{ name: 'http', protocol: 'tcp', port: 8080 }],
    endpoints: [
      ...local.map((address) => endpoint(address, 'node-1')),
      ...remote.map((address) => endpoint(address, 'node-2')),
    ],
  };
}

const noExec: Exec = (file) => Promise.reject(new Error(`${file} was run`));

/** An assembly that holds `services`. */
export function assembly(
  family: Family,
  services: readonly ServiceRules[],
): Assembly<IptablesUnit> {
  const under = settings(family);
  const made = createIptablesBackend(noExec).assemble(buildParts(under), under);
  made.replace(new Map(services.map((rules) => [rules.service, rules])));
  return made;
}
