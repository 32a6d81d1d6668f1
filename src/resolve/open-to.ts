// Who may use the addresses of a Service's load balancer, and by which fields. Pure.
import type { Frontend } from '../model/forwarding.ts';
import { cidrContains, familyOf, hostCidr } from '../model/ip.ts';
import type { Service } from '../model/kubernetes.ts';
import type { Cause } from '../model/reason.ts';
import type { ResolveContext } from './context.ts';

/** Whom an address is open to, and why. */
export type OpenTo = Pick<Frontend, 'allowFrom' | 'openTo'>;

/** Nothing is said of sources. */
export const everybody: OpenTo = { allowFrom: undefined, openTo: [] };

/**
 * Reads spec.loadBalancerSourceRanges; a range of all sources is no restriction. Where the node itself may use
 * the address, so may its connections to an address that it has on an interface of its own: such a connection
 * has that very address as its source. `object` names the Service.
 */
export function openTo(
  { sourceRanges, loadBalancerIps }: Pick<Service, 'sourceRanges' | 'loadBalancerIps'>,
  { family, nodeIp }: Pick<ResolveContext, 'family' | 'nodeIp'>,
  object: Cause['object'],
): OpenTo {
  if (sourceRanges.length === 0) return everybody;
  const field = 'spec.loadBalancerSourceRanges';
  const ranges = [...new Set(sourceRanges)].filter((cidr) => familyOf(cidr) === family);
  if (ranges.length === 0 || ranges.some((cidr) => cidr.endsWith('/0'))) {
    const value = sourceRanges.join(', ');
    return { allowFrom: undefined, openTo: [{ kind: 'open-to-all', object, field, value }] };
  }
  const isNodeAllowed = nodeIp !== undefined && ranges.some((cidr) => cidrContains(cidr, nodeIp));
  const own = isNodeAllowed ? loadBalancerIps.filter((ip) => familyOf(ip) === family) : [];
  const more = [...new Set(own.map(hostCidr))].filter((cidr) => !ranges.includes(cidr));
  const ownField = 'status.loadBalancer.ingress[].ip';
  return {
    allowFrom: [...ranges, ...more],
    openTo: [
      ...ranges.map((value) => ({ kind: 'source-range', object, field, value }) as const),
      ...more.map((value) => ({ kind: 'own-address', object, field: ownField, value }) as const),
    ],
  };
}
