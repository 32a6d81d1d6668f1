// One Service with its slices becomes its frontends, each with its Route. Pure; the place where it is
// decided what answers for a Service address.
import { compact } from '../compact.ts';
import type {
  Frontend,
  FrontendKind,
  HealthCheck,
  Route,
  ServiceForwarding,
} from '../model/forwarding.ts';
import { frontendId } from '../model/forwarding.ts';
import type { Ip } from '../model/ip.ts';
import { familyOf } from '../model/ip.ts';
import type { EndpointSlice, Service, ServicePort } from '../model/kubernetes.ts';
import type { Cause } from '../model/reason.ts';
import type { ResolveContext } from './context.ts';
import { collectEndpoints } from './endpoints.ts';
import type { OpenTo } from './open-to.ts';
import { everybody, openTo } from './open-to.ts';
import type { Policies } from './routes.ts';
import { externalRoute, internalRoute, policiesOf } from './routes.ts';
import { selectEndpoints } from './select.ts';

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
  // One text for all reasons of a Service: there are many Services.
  const object = `Service ${key}` as const;
  const policies = policiesOf(service, object);
  const shared = { slices, context, object, policies, open: openTo(service, context, object) };
  const frontends = ports.flatMap((port) => resolvePort(service, { ...shared, port }));
  const healthCheck = resolveHealthCheck(service, slices, context);
  return { service: key, family, frontends: withoutRepeats(frontends), healthCheck };
}

/** A port, and what is the same for all ports of the Service. */
type PortInputs = {
  readonly port: ServicePort;
  readonly slices: readonly EndpointSlice[];
  readonly context: ResolveContext;
  readonly object: Cause['object'];
  readonly policies: Policies;
  readonly open: OpenTo;
};

function resolvePort(service: Service, inputs: PortInputs): Frontend[] {
  const { port, slices, context, object, policies, open } = inputs;
  const { affinitySeconds } = service;
  const candidates = collectEndpoints(port, { slices, ...context });
  const selection = selectEndpoints(candidates, context, { object, affinitySeconds });
  const internal = internalRoute(policies, selection, context.internal);
  const external = externalRoute(policies, selection);
  const frontend = (kind: FrontendKind, ip: Ip | undefined, route: Route): Frontend => ({
    kind,
    address: { ip, protocol: port.protocol, port: kind === 'NodePort' ? port.nodePort : port.port },
    service: service.key,
    portName: port.name,
    route,
    ...(ip !== undefined && service.loadBalancerIps.includes(ip) ? open : everybody),
  });
  const ours = (ips: readonly Ip[]): readonly Ip[] =>
    ips.filter((ip) => familyOf(ip) === context.family);
  return [
    ...ours(service.clusterIps).map((ip) => frontend('ClusterIP', ip, internal)),
    ...ours(service.loadBalancerIps).map((ip) => frontend('LoadBalancer', ip, external)),
    ...ours(service.externalIps).map((ip) => frontend('ExternalIP', ip, external)),
    ...(port.nodePort === 0 ? [] : [frontend('NodePort', undefined, external)]),
  ];
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
  if (frontends.length < 2) return compact(frontends);
  const byId = new Map<string, Frontend>();
  for (const frontend of frontends) {
    const id = frontendId(frontend.address);
    if (!byId.has(id)) byId.set(id, frontend);
  }
  return compact([...byId.values()]);
}
