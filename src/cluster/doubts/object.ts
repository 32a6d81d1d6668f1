// What is doubtful in one object of a manifest: an API server would refuse it, or drop it without a word. Plain
// values in, problems out, none of which keeps the object from being used. Pure.
import { fieldName, quoted, type Path, type Problem } from '../problem.ts';

/** The fields of a value, those of its entries where it is a list; true: whatever is in it. */
type Known = true | { readonly [field: string]: Known };

const metadata = fields(
  `annotations creationTimestamp deletionGracePeriodSeconds deletionTimestamp finalizers generateName generation
  labels managedFields name namespace ownerReferences resourceVersion selfLink uid`,
);
const common = { apiVersion: true, kind: true, metadata } as const;
const names = fields('name');

/** What the API has, of the kinds whose every field is small enough to look at. */
const known: Readonly<Record<string, Known>> = {
  Service: {
    ...common,
    spec: {
      ...fields(
        `allocateLoadBalancerNodePorts clusterIP clusterIPs externalIPs externalName externalTrafficPolicy
        healthCheckNodePort internalTrafficPolicy ipFamilies ipFamilyPolicy loadBalancerClass loadBalancerIP
        loadBalancerSourceRanges publishNotReadyAddresses selector sessionAffinity trafficDistribution type`,
      ),
      ports: fields('appProtocol name nodePort port protocol targetPort'),
      sessionAffinityConfig: { clientIP: fields('timeoutSeconds') },
    },
    status: {
      conditions: true,
      loadBalancer: { ingress: fields('hostname ip ipMode ports') },
    },
  },
  EndpointSlice: {
    ...common,
    addressType: true,
    ports: fields('appProtocol name port protocol'),
    endpoints: {
      ...fields('addresses deprecatedTopology hostname nodeName targetRef zone'),
      conditions: fields('ready serving terminating'),
      hints: { forNodes: names, forZones: names },
    },
  },
  ServiceCIDR: { ...common, spec: fields('cidrs'), status: true },
};

/** What an API server takes unless it was started with another range. */
const nodePorts = { first: 30_000, last: 32_767 };

// A file of another kind altogether would fill the screen.
const mostUnknown = 10;

/** The doubts about an object of a kind that is read. */
export function doubtsOf(raw: unknown): readonly Problem[] {
  if (!isObject(raw) || typeof raw['kind'] !== 'string') return [];
  const fieldsOfKind = known[raw['kind']];
  if (fieldsOfKind === undefined) return [];
  const about = raw['kind'] === 'EndpointSlice' ? 'an EndpointSlice' : `a ${raw['kind']}`;
  const unknown = [...unknownFields(raw, fieldsOfKind, [])].slice(0, mostUnknown);
  return [
    ...unknown.map(({ path, meant }) => {
      const hint = meant === undefined ? '' : `; ${meant} may be meant`;
      return problemAt(path, `is not a field of ${about}${hint}`);
    }),
    ...(raw['kind'] === 'Service' ? strayNodePorts(raw['spec']) : []),
  ];
}

type Unknown = { readonly path: Path; readonly meant: string | undefined };

function* unknownFields(value: unknown, schema: Known, path: Path): Generator<Unknown> {
  if (schema === true) return;
  if (Array.isArray(value)) {
    for (const [index, entry] of value.entries()) {
      yield* unknownFields(entry, schema, [...path, index]);
    }
  } else if (isObject(value)) {
    for (const [key, field] of Object.entries(value)) {
      const next = Object.hasOwn(schema, key) ? schema[key] : undefined;
      if (next !== undefined) yield* unknownFields(field, next, [...path, key]);
      else yield { path: [...path, key], meant: nearIn(schema, key) };
    }
  }
}

function nearIn(schema: object, key: string): string | undefined {
  const plain = (text: string): string => text.toLowerCase().replace(/s$/, '');
  return Object.keys(schema).find((field) => plain(field) === plain(key));
}

function strayNodePorts(spec: unknown): readonly Problem[] {
  const ports: unknown = isObject(spec) ? spec['ports'] : undefined;
  if (!Array.isArray(ports)) return [];
  return ports.flatMap((port: unknown, index) => {
    const nodePort: unknown = isObject(port) ? port['nodePort'] : undefined;
    if (typeof nodePort !== 'number' || nodePort === 0) return [];
    if (nodePort >= nodePorts.first && nodePort <= nodePorts.last) return [];
    const range = `${nodePorts.first} to ${nodePorts.last}`;
    const message = `${nodePort} is outside of ${range}, the range that API servers allow by default`;
    return [problemAt(['spec', 'ports', index, 'nodePort'], message)];
  });
}

function problemAt(path: Path, message: string): Problem {
  return { path, field: fieldName(path.map(shown)), message };
}

// Keys are text of a manifest: what is no name is shown as a quoted text.
function shown(step: string | number): string | number {
  return typeof step === 'string' && step.length > 80 ? quoted(step) : step;
}

function fields(list: string): Readonly<Record<string, true>> {
  return Object.fromEntries(list.split(/\s+/).map((name) => [name, true]));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
