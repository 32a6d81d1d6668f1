// Decodes a Node: untrusted JSON in, its name and the CIDRs of its pods out. A bad CIDR leaves out just
// itself.
import { readCidr } from './decode-address.ts';
import { readClusterName } from './decode-metadata.ts';
import { child, entries, rootField, section, type Field } from './json-field.ts';
import type { Decoded, Problem } from './problem.ts';
import type { Cidr } from '../model/ip.ts';

/** The Node that `raw` describes. */
export function decodeNode(raw: unknown): Decoded {
  const problems: Problem[] = [];
  const root = rootField(raw, problems);
  const name = readClusterName(section(root, 'metadata'));
  if (name === undefined) return { kind: 'bad', id: undefined, problems };
  const value = { name, podCidrs: readPodCidrs(section(root, 'spec')) };
  return { kind: 'object', object: { kind: 'Node', id: name, value }, problems };
}

/** spec.podCIDRs, completed from spec.podCIDR as the API server does. */
function readPodCidrs(spec: Field): readonly Cidr[] {
  const list = entries(child(spec, 'podCIDRs'));
  const fields = list.length > 0 ? list : [child(spec, 'podCIDR')];
  return fields.map((field) => readCidr(field)).filter((cidr) => cidr !== undefined);
}
