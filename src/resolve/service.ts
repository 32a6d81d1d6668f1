// One Service with its slices becomes its frontends, each with its Route. Pure; the place where it is
// decided what answers for a Service address.
import type { Frontend, Masquerade, Route, ServiceForwarding } from '../model/forwarding.ts';
import type { Family } from '../model/ip.ts';
import { familyOf } from '../model/ip.ts';
import type { EndpointSlice, Service, ServicePort } from '../model/kubernetes.ts';
import { resolvePool } from './endpoints.ts';

/** What of the node and the configuration a decision depends on. */
export type ResolveContext = {
  readonly family: Family;
  readonly nodeName: string;
  readonly masqueradeAll: boolean;
};

/** The frontends of a Service in one family; none where it has no address of that family. */
export function resolveService(
  service: Service,
  slices: readonly EndpointSlice[],
  context: ResolveContext,
): ServiceForwarding {
  const { family } = context;
  const frontends = service.clusterIps
    .filter((ip) => familyOf(ip) === family)
    .flatMap((ip) =>
      service.ports.map((port): Frontend => {
        const address = { ip, protocol: port.protocol, port: port.port };
        const route = resolveRoute(port, slices, context);
        return { kind: 'ClusterIP', address, service: service.key, portName: port.name, route };
      }),
    );
  return { service: service.key, family, frontends };
}

function resolveRoute(
  port: ServicePort,
  slices: readonly EndpointSlice[],
  { family, nodeName, masqueradeAll }: ResolveContext,
): Route {
  const pool = resolvePool(port, { slices, family, nodeName });
  if (pool.members.length === 0) return { kind: 'reject', pool };
  const masquerade: Masquerade = masqueradeAll ? 'all' : 'from-outside-the-pod-network';
  return { kind: 'forward', pool, masquerade };
}
