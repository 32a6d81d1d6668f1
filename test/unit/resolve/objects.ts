// Services and slices in a few words, decoded as an API server would send them, and endpoints as text:
// `10.0.1.1@node-1 unready not-serving terminating zone=a,b node=node-1`, flags only where they hold.
import { decodeObject } from '../../../src/cluster/decode/object.ts';
import { ClusterState } from '../../../src/cluster/state.ts';
import { parseCidr, parseIp } from '../../../src/model/ip.ts';
import type { Cidr, Family, Ip } from '../../../src/model/ip.ts';
import type { ClusterObject, EndpointSlice, Service } from '../../../src/model/kubernetes.ts';
import type { ServiceForwarding } from '../../../src/model/forwarding.ts';
import type { Candidate } from '../../../src/resolve/endpoints.ts';
import type { ResolveContext } from '../../../src/resolve/context.ts';
import { internalSource } from '../../../src/resolve/context.ts';
import type { DetectedPods } from '../../../src/resolve/pod-source.ts';
import { resolveService } from '../../../src/resolve/service.ts';

type Json = Readonly<Record<string, unknown>>;

/** What a slice is to hold, besides its name. */
export type SliceSpec = {
  readonly service?: string;
  readonly namespace?: string;
  readonly addressType?: Family | 'FQDN';
  readonly protocol?: 'TCP' | 'UDP' | 'SCTP';
  /** Numbers by name; undefined for a port without a number. */
  readonly ports?: Readonly<Record<string, number | undefined>>;
  /** Each in the form that stands at the top. */
  readonly endpoints: readonly string[];
};

/** How pods are told from others there. */
export const pods: DetectedPods = {
  source: { kind: 'cidr', cidr: parseCidr('10.0.0.0/8') as Cidr },
  cause: { object: 'configuration', field: 'clusterCIDR', value: '10.0.0.0/8' },
};

/** The node that looks on: node-1 in zone a. */
export const view: ResolveContext = {
  family: 'IPv4',
  nodeName: 'node-1',
  zone: 'a',
  internal: internalSource(false, pods),
  nodeIp: parseIp('192.168.0.2') as Ip,
};

/** The object that this stands for; throws where it is refused. */
export function decoded(raw: unknown): ClusterObject {
  const result = decodeObject(raw);
  if (result.kind === 'object') return result.object;
  throw new Error(JSON.stringify(result));
}

/** The Service `ns/svc`, with spec fields over the usual ones. */
export function rawService(spec: Json = {}, { name = 'svc', status = {} } = {}): Json {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: 'ns', name },
    spec: { clusterIP: '172.30.0.41', ports: [{ port: 80 }], ...spec },
    status,
  };
}

/** A Service decoded. */
export function serviceOf(spec: Json = {}, more: { name?: string; status?: Json } = {}): Service {
  const object = decoded(rawService(spec, more));
  if (object.kind === 'Service') return object.value;
  throw new Error(object.kind);
}

/** A slice as JSON. */
export function rawSlice(name: string, spec: SliceSpec): Json {
  const { service = 'svc', namespace = 'ns', addressType = 'IPv4', protocol = 'TCP' } = spec;
  const ports = Object.entries(spec.ports ?? { '': 80 });
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { namespace, name, labels: { 'kubernetes.io/service-name': service } },
    addressType,
    ports: ports.map(([portName, port]) => ({ name: portName, port, protocol })),
    endpoints: spec.endpoints.map(endpointJson),
  };
}

/** A slice decoded. */
export function sliceOf(name: string, spec: SliceSpec): EndpointSlice {
  const object = decoded(rawSlice(name, spec));
  if (object.kind === 'EndpointSlice') return object.value;
  throw new Error(object.kind);
}

/** What all Services among the objects mean to the node that looks on. */
export function forwardingOf(
  objects: readonly ClusterObject[],
  context: Partial<ResolveContext> = {},
): readonly ServiceForwarding[] {
  const state = new ClusterState(view.nodeName);
  state.apply(objects.map((object) => ({ op: 'set', object })));
  return [...state.serviceKeys].flatMap((key) => {
    const service = state.service(key);
    return service === undefined
      ? []
      : [resolveService(service, state.slices(key), { ...view, ...context })];
  });
}

/** A candidate as text, with `local` where it is on the node that looks on. */
export function candidateText({ id, endpoint, ...conditions }: Candidate): string {
  return [
    id,
    endpoint.isLocal ? 'local' : '',
    conditions.ready ? '' : 'unready',
    conditions.serving ? '' : 'not-serving',
    conditions.terminating ? 'terminating' : '',
  ]
    .filter((word) => word !== '')
    .join(' ');
}

function endpointJson(text: string): Json {
  const [place = '', ...flags] = text.split(' ');
  const [ip, nodeName] = place.split('@');
  const named = (kind: string): readonly Json[] =>
    flags
      .filter((flag) => flag.startsWith(`${kind}=`))
      .flatMap((flag) => flag.slice(kind.length + 1).split(','))
      .map((name) => ({ name }));
  return {
    addresses: [ip],
    ...(nodeName === undefined ? {} : { nodeName }),
    conditions: {
      ready: !flags.includes('unready'),
      serving: !flags.includes('not-serving'),
      terminating: flags.includes('terminating'),
    },
    hints: { forZones: named('zone'), forNodes: named('node') },
  };
}
