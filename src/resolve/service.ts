// One Service with its slices becomes its frontends, each with its Route. Pure; the place where it is
// decided what answers for a Service address.
import type {
  Frontend,
  FrontendKind,
  HealthCheck,
  Masquerade,
  Route,
  ServiceForwarding,
} from '../model/forwarding.ts';
import { frontendId } from '../model/forwarding.ts';
import type { Cidr, Family, Ip } from '../model/ip.ts';
import { cidrContains, familyOf, hostCidr } from '../model/ip.ts';
import type { EndpointSlice, Service, ServicePort } from '../model/kubernetes.ts';
import { collectEndpoints } from './endpoints.ts';
import type { NodeView, Selection } from './select.ts';
import { selectEndpoints } from './select.ts';

/** What of the node and the configuration a decision depends on. */
export type ResolveContext = NodeView & {
  readonly family: Family;
  readonly masqueradeAll: boolean;
  /** This node's address in the family, or undefined where it is not known. */
  readonly nodeIp: Ip | undefined;
};

/** The frontends of a Service in one family; none where it has no ClusterIP of that family. */
export function resolveService(
  service: Service,
  slices: readonly EndpointSlice[],
  context: ResolveContext,
): ServiceForwarding {
  const { family } = context;
  const { key, ports } = service;
  if (!service.clusterIps.some((ip) => familyOf(ip) === family)) {
    return { service: key, family, frontends: [], healthCheck: undefined };
  }
  const frontends = ports.flatMap((port) => resolvePort(service, port, { slices, context }));
  const healthCheck = resolveHealthCheck(service, slices, context);
  return { service: key, family, frontends: withoutRepeats(frontends), healthCheck };
}

type Inputs = { readonly slices: readonly EndpointSlice[]; readonly context: ResolveContext };

function resolvePort(service: Service, port: ServicePort, { slices, context }: Inputs): Frontend[] {
  const candidates = collectEndpoints(port, { slices, ...context });
  const selection = selectEndpoints(candidates, context, service.affinitySeconds);
  const internal = internalRoute(service, selection, context.masqueradeAll);
  const external = externalRoute(service, selection);
  const frontend = (kind: FrontendKind, ip: Ip | undefined, route: Route): Frontend => ({
    kind,
    address: { ip, protocol: port.protocol, port: kind === 'NodePort' ? port.nodePort : port.port },
    service: service.key,
    portName: port.name,
    route,
    allowFrom: kind === 'LoadBalancer' ? allowFrom(service, context) : undefined,
  });
  const ours = (ips: readonly Ip[]): readonly Ip[] =>
    ips.filter((ip) => familyOf(ip) === context.family);
  return [
    ...ours(service.clusterIps).map((ip) => frontend('ClusterIP', ip, internal)),
    // Before the external addresses, so that one that is both keeps the load balancer's restriction.
    ...ours(service.loadBalancerIps).map((ip) => frontend('LoadBalancer', ip, external)),
    ...ours(service.externalIps).map((ip) => frontend('ExternalIP', ip, external)),
    ...(port.nodePort === 0 ? [] : [frontend('NodePort', undefined, external)]),
  ];
}

function internalRoute(
  { internalTrafficPolicy }: Service,
  { cluster, local, hasAny }: Selection,
  masqueradeAll: boolean,
): Route {
  const pool = internalTrafficPolicy === 'Local' ? local : cluster;
  if (!hasAny) return { kind: 'reject', pool };
  if (pool.members.length === 0) return { kind: 'drop', pool };
  const masquerade: Masquerade = masqueradeAll ? 'all' : 'from-outside-the-pod-network';
  return { kind: 'forward', pool, masquerade };
}

function externalRoute(
  { externalTrafficPolicy }: Service,
  { cluster, local, hasAny }: Selection,
): Route {
  const isLocal = externalTrafficPolicy === 'Local';
  if (!hasAny) return { kind: 'reject', pool: isLocal ? local : cluster };
  // The answer must come back through this node, wherever the endpoint is: hence the masquerade.
  if (!isLocal) return { kind: 'forward', pool: cluster, masquerade: 'all' };
  return { kind: 'forward-local', pool: local, cluster };
}

// Who may use the load balancer's addresses. A range of all sources is no restriction. Where the node
// itself may, so may its connections to an address that it has on an interface of its own: such a
// connection has that very address as its source.
function allowFrom(
  { sourceRanges, loadBalancerIps }: Service,
  { family, nodeIp }: ResolveContext,
): readonly Cidr[] | undefined {
  const ranges = [...new Set(sourceRanges)].filter((cidr) => familyOf(cidr) === family);
  if (ranges.length === 0 || ranges.some((cidr) => cidr.endsWith('/0'))) return undefined;
  const isNodeAllowed = nodeIp !== undefined && ranges.some((cidr) => cidrContains(cidr, nodeIp));
  const own = isNodeAllowed ? loadBalancerIps.filter((ip) => familyOf(ip) === family) : [];
  return [...new Set([...ranges, ...own.map(hostCidr)])];
}

function resolveHealthCheck(
  { healthCheckNodePort: port, ports }: Service,
  slices: readonly EndpointSlice[],
  context: ResolveContext,
): HealthCheck | undefined {
  if (port === 0) return undefined;
  const ready = ports
    .flatMap((servicePort) => collectEndpoints(servicePort, { slices, ...context }))
    .filter((candidate) => candidate.ready && candidate.endpoint.isLocal);
  return { port, localEndpoints: new Set(ready.map(({ endpoint }) => endpoint.ip)).size };
}

// The API lets a user list an address twice, or as two kinds: the first one counts.
function withoutRepeats(frontends: readonly Frontend[]): readonly Frontend[] {
  if (frontends.length < 2) return frontends;
  const byId = new Map<string, Frontend>();
  for (const frontend of frontends) {
    const id = frontendId(frontend.address);
    if (!byId.has(id)) byId.set(id, frontend);
  }
  return [...byId.values()];
}
