// The kinds of objects that the stand-in serves, in the API server's own words.

/** An object as the API has it, without kind and apiVersion, as a list has it. */
export type RawObject = {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly resourceVersion?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
};

export type KindName = 'Service' | 'EndpointSlice' | 'Node' | 'ServiceCIDR';

/** How a kind is served. */
export type KindInfo = {
  readonly kind: KindName;
  readonly apiVersion: string;
  readonly path: string;
  readonly plural: string;
  readonly group: string;
  /** What Go's encoder writes of an object that has only metadata. */
  readonly blank: object;
};

export const kinds: readonly KindInfo[] = [
  {
    kind: 'Service',
    apiVersion: 'v1',
    path: '/api/v1/services',
    plural: 'services',
    group: '',
    blank: { spec: {}, status: { loadBalancer: {} } },
  },
  {
    kind: 'EndpointSlice',
    apiVersion: 'discovery.k8s.io/v1',
    path: '/apis/discovery.k8s.io/v1/endpointslices',
    plural: 'endpointslices',
    group: 'discovery.k8s.io',
    blank: { addressType: '', endpoints: null, ports: null },
  },
  {
    kind: 'Node',
    apiVersion: 'v1',
    path: '/api/v1/nodes',
    plural: 'nodes',
    group: '',
    blank: { spec: {}, status: {} },
  },
  {
    kind: 'ServiceCIDR',
    apiVersion: 'networking.k8s.io/v1',
    path: '/apis/networking.k8s.io/v1/servicecidrs',
    plural: 'servicecidrs',
    group: 'networking.k8s.io',
    blank: { spec: {}, status: {} },
  },
];

/** `namespace/name`, or the name alone. */
export function idOf({ metadata }: RawObject): string {
  return metadata.namespace === undefined
    ? metadata.name
    : `${metadata.namespace}/${metadata.name}`;
}
