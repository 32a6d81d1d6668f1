// Decodes where the outside reaches a Service, and who of it may: untrusted JSON in, addresses and
// ranges out. An entry that means nothing leaves out just itself: the others must go on working.
import { readCidr, readIp } from './address.ts';
import { child, entries, objectEntries, section, type Field } from './json-field.ts';
import { compact } from '../../compact.ts';
import type { Ip } from '../../model/ip.ts';
import type { Service } from '../../model/kubernetes.ts';

/** The addresses of a Service besides its ClusterIPs, of both families. */
export type ExternalAddresses = Pick<Service, 'externalIps' | 'loadBalancerIps' | 'sourceRanges'>;

/** The external addresses; entries that are none are reported to the list of `leftOut`. */
export function readExternalAddresses(
  { root, spec }: { readonly root: Field; readonly spec: Field },
  leftOut: Field['problems'],
): ExternalAddresses {
  const listed = (key: string): readonly Field[] =>
    entries(child(spec, key))
      .map((entry) => ({ ...entry, problems: leftOut }))
      .filter((entry) => !isBlank(entry));
  return {
    externalIps: compact(
      listed('externalIPs')
        .map((entry) => readIp(entry))
        .filter((ip) => ip !== undefined),
    ),
    loadBalancerIps: readLoadBalancerIps(section({ ...root, problems: leftOut }, 'status')),
    sourceRanges: compact(
      listed('loadBalancerSourceRanges')
        .map((entry) => readCidr(trimmed(entry)))
        .filter((cidr) => cidr !== undefined),
    ),
  };
}

// What a controller wrote: an entry may be a name alone, or an address whose traffic the load balancer
// delivers elsewhere (ipMode Proxy), and then this node must not catch it.
function readLoadBalancerIps(status: Field): readonly Ip[] {
  const ips = objectEntries(child(section(status, 'loadBalancer'), 'ingress'))
    .filter((entry) => (child(entry, 'ipMode').value ?? 'VIP') === 'VIP')
    .map((entry) => child(entry, 'ip'))
    .filter((ip) => !isBlank(ip))
    .map((ip) => readIp(ip))
    .filter((ip) => ip !== undefined);
  return compact(ips);
}

// Of all lists of the API, this alone may have white space round its entries.
function trimmed(field: Field): Field {
  const { value } = field;
  return { ...field, value: typeof value === 'string' ? value.trim() : value };
}

function isBlank({ value }: Field): boolean {
  return value === undefined || (typeof value === 'string' && value.trim() === '');
}
