// Decodes a ServiceCIDR: untrusted JSON in, its CIDRs out. A bad CIDR leaves out just itself.
import { readCidr } from './address.ts';
import { readClusterName } from './metadata.ts';
import { child, entries, rootField, section } from './json-field.ts';
import type { Decoded, Problem } from '../problem.ts';

/** The ServiceCIDR that `raw` describes. */
export function decodeServiceCidr(raw: unknown): Decoded {
  const problems: Problem[] = [];
  const root = rootField(raw, problems);
  const name = readClusterName(section(root, 'metadata'));
  if (name === undefined) return { kind: 'bad', id: undefined, problems };
  const cidrs = entries(child(section(root, 'spec'), 'cidrs'))
    .map((field) => readCidr(field))
    .filter((cidr) => cidr !== undefined);
  return {
    kind: 'object',
    object: { kind: 'ServiceCIDR', id: name, value: { name, cidrs } },
    problems,
  };
}
