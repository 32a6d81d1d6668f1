// What is doubtful between the objects of manifests: each is good, but they do not fit together. Objects in, doubts
// out, each about one of them. Pure.
import type { EndpointSlice, Service, ServicePort } from '../../model/kubernetes.ts';
import type { ClusterObjects } from '../changes-between.ts';
import { quoted } from '../problem.ts';

/** A doubt about the object with this key, such as `Service default/web`. */
export type Doubt = { readonly key: string; readonly field: string; readonly message: string };

/** The doubts; `keys` has all objects, those too that no rule is made of, and Endpoints. */
export function doubtsBetween(objects: ClusterObjects, keys: Iterable<string>): readonly Doubt[] {
  const all = new Set(keys);
  const slices = new Map<string, EndpointSlice[]>();
  const doubts: Doubt[] = [];
  for (const [key, { kind, value }] of objects) {
    if (kind !== 'EndpointSlice') continue;
    const siblings = slices.get(value.service);
    if (siblings === undefined) slices.set(value.service, [value]);
    else siblings.push(value);
    if (all.has(`Service ${value.service}`)) continue;
    const field = 'metadata.labels["kubernetes.io/service-name"]';
    doubts.push({ key, field, message: `no Service ${value.service} is in the manifests` });
  }
  for (const [key, { kind, value }] of objects) {
    if (kind !== 'Service') continue;
    const own = slices.get(value.key);
    if (own !== undefined) doubts.push(...portDoubts(key, value, own));
    const endpoints = `Endpoints ${value.key}`;
    if (own !== undefined || !all.has(endpoints)) continue;
    const message = `is not read, and Service ${value.key} has no EndpointSlice: export EndpointSlices too`;
    doubts.push({ key: endpoints, field: '', message });
  }
  return doubts;
}

function portDoubts(
  key: string,
  { ports }: Service,
  slices: readonly EndpointSlice[],
): readonly Doubt[] {
  // A slice has no ports while it has no endpoints.
  const offered = slices.flatMap((slice) => slice.ports);
  if (offered.length === 0) return [];
  const has = ({ name, protocol }: Pick<ServicePort, 'name' | 'protocol'>): boolean =>
    offered.some((port) => port.name === name && port.protocol === protocol);
  return ports.flatMap((port, index) => {
    if (has(port)) return [];
    const theirs = [...new Set(offered.map(described))].join(', ');
    const message = `no EndpointSlice has a port ${described(port)} (they have ${theirs}), so nothing answers`;
    return [{ key, field: `spec.ports[${index}].name`, message }];
  });
}

function described({ name, protocol }: Pick<ServicePort, 'name' | 'protocol'>): string {
  const named = name === '' ? 'without a name' : `named ${quoted(name)}`;
  return `${named} of ${protocol.toUpperCase()}`;
}
