// Decodes a Service: untrusted JSON in, our Service or why there is none out. A Service is taken whole
// or not at all, since half of one would send traffic astray; only addresses of the outside that are
// none are left out, as kube-proxy leaves them out.
import { readIp } from './address.ts';
import { readExternalAddresses } from './external-addresses.ts';
import { hasLabel, readCreatedAt, readServiceName } from './metadata.ts';
import { readPolicies } from './policies.ts';
import { readServicePorts } from './service-ports.ts';
import {
  child,
  entries,
  readChoice,
  report,
  rootField,
  section,
  type Field,
} from './json-field.ts';
import type { Decoded, Problem } from '../problem.ts';
import { compact } from '../../compact.ts';
import { families, familyOf, type Ip } from '../../model/ip.ts';
import { serviceKey, type ServiceType } from '../../model/kubernetes.ts';

const serviceTypes: readonly ServiceType[] = [
  'ClusterIP',
  'NodePort',
  'LoadBalancer',
  'ExternalName',
];
const proxyNameLabel = 'service.kubernetes.io/service-proxy-name';

/** The Service that `raw` describes; headless, ExternalName and other proxies' Services are ignored. */
export function decodeService(raw: unknown): Decoded {
  const problems: Problem[] = [];
  const root = rootField(raw, problems);
  const metadata = section(root, 'metadata');
  const identity = readServiceName(metadata);
  if (identity === undefined) return { kind: 'bad', id: undefined, problems };
  const key = serviceKey(identity.namespace, identity.name);
  const spec = section(root, 'spec');
  const why = whyIgnored(section(metadata, 'labels'), spec);
  if (why !== undefined) return { kind: 'ignored', id: key, why };
  const leftOut: Problem[] = [];
  const type = readChoice(child(spec, 'type'), serviceTypes) ?? 'ClusterIP';
  const value = {
    key,
    ...identity,
    createdAt: readCreatedAt(metadata, leftOut),
    type,
    clusterIps: readClusterIps(spec),
    ports: readServicePorts(child(spec, 'ports')),
    ...readExternalAddresses({ root, spec }, leftOut),
    ...readPolicies(spec, type),
  };
  if (problems.length > 0) return { kind: 'bad', id: key, problems: [...problems, ...leftOut] };
  return { kind: 'object', object: { kind: 'Service', id: key, value }, problems: leftOut };
}

function whyIgnored(labels: Field, spec: Field): string | undefined {
  if (hasLabel(labels, proxyNameLabel)) return `label ${proxyNameLabel} gives it to another proxy`;
  if (child(spec, 'type').value === 'ExternalName') return 'ExternalName Services have no address';
  if (child(spec, 'clusterIP').value === 'None') return 'headless Services have no address';
  return undefined;
}

/** spec.clusterIPs, completed from spec.clusterIP; the two and spec.ipFamilies must agree. */
function readClusterIps(spec: Field): readonly Ip[] {
  const single = child(spec, 'clusterIP');
  const list = entries(child(spec, 'clusterIPs'));
  if (single.value === undefined || single.value === '') {
    report(
      single,
      'is missing; only a cluster can allocate an address, so a manifest must name it',
    );
    return [];
  }
  const first = readIp(single);
  if (list.length === 0) {
    const ips = first === undefined ? [] : [first];
    checkFamilies(spec, ips);
    return ips;
  }
  const ips = compact(list.map((entry) => requiredIp(entry)).filter((ip) => ip !== undefined));
  if (ips.length < list.length) return [];
  if (first !== undefined && ips[0] !== first) {
    report(list[0] ?? single, `${ips[0]} is not spec.clusterIP, which is ${first}`);
  }
  checkFamilies(spec, ips);
  return ips;
}

function requiredIp(entry: Field): Ip | undefined {
  if (entry.value === undefined) report(entry, 'is missing');
  return readIp(entry);
}

function checkFamilies(spec: Field, ips: readonly Ip[]): void {
  const clusterIps = child(spec, 'clusterIPs');
  if (new Set(ips.map(familyOf)).size < ips.length) {
    report(clusterIps, 'has more than one address of a family');
  }
  const named = entries(child(spec, 'ipFamilies'));
  for (const [index, entry] of named.entries()) {
    const family = readChoice(entry, families);
    const ip = ips[index];
    if (family === undefined || ip === undefined || familyOf(ip) === family) continue;
    report(entry, `${family} is not the family of ${ip}`);
  }
}
