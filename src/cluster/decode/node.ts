// Decodes a Node: untrusted JSON in, its name, addresses, zone, the CIDRs of its pods and
// whether it may be used out. A bad entry leaves out just itself.
import { readIp, readCidr } from './address.ts';
import { readClusterName, readLabelValue } from './metadata.ts';
import {
  child,
  entries,
  objectEntries,
  readText,
  rootField,
  section,
  type Field,
} from './json-field.ts';
import type { Decoded, Problem } from '../problem.ts';
import { families, familyOf, type Cidr, type Ip } from '../../model/ip.ts';

const zoneLabel = 'topology.kubernetes.io/zone';
// The cluster autoscaler is about to delete the node: what comes through a load balancer ends first.
const deletionTaint = 'ToBeDeletedByClusterAutoscaler';

/** The Node that `raw` describes. */
export function decodeNode(raw: unknown): Decoded {
  const problems: Problem[] = [];
  const root = rootField(raw, problems);
  const metadata = section(root, 'metadata');
  const name = readClusterName(metadata);
  if (name === undefined) return { kind: 'bad', id: undefined, problems };
  const spec = section(root, 'spec');
  const value = {
    name,
    podCidrs: readPodCidrs(spec),
    ips: readNodeIps(section(root, 'status')),
    zone: readLabelValue(child(section(metadata, 'labels'), zoneLabel)) ?? '',
    isEligible: child(metadata, 'deletionTimestamp').value === undefined && !isTainted(spec),
  };
  return { kind: 'object', object: { kind: 'Node', id: name, value }, problems };
}

/** spec.podCIDRs, completed from spec.podCIDR as the API server does. */
function readPodCidrs(spec: Field): readonly Cidr[] {
  const list = entries(child(spec, 'podCIDRs'));
  const fields = list.length > 0 ? list : [child(spec, 'podCIDR')];
  return fields.map((field) => readCidr(field)).filter((cidr) => cidr !== undefined);
}

function isTainted(spec: Field): boolean {
  const keys = objectEntries(child(spec, 'taints')).map((taint) => readText(child(taint, 'key')));
  return keys.includes(deletionTaint);
}

/** The first of status.addresses, internal ones before external ones, and the first of the other family. */
function readNodeIps(status: Field): readonly Ip[] {
  const addresses = objectEntries(child(status, 'addresses'));
  const ips = ['InternalIP', 'ExternalIP'].flatMap((type) =>
    addresses
      .filter((entry) => child(entry, 'type').value === type)
      .map((entry) => readIp(child(entry, 'address')))
      .filter((ip) => ip !== undefined),
  );
  const firsts = families.map((family) => ips.find((ip) => familyOf(ip) === family));
  return ips.filter((ip, index) => firsts.includes(ip) && ips.indexOf(ip) === index);
}
