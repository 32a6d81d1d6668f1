// Kubernetes objects as an API server would send them, with parts replaced.

type Json = Readonly<Record<string, unknown>>;

/** A Service `default/web` with the given spec fields over the usual ones. */
export function service(spec: Json = {}, metadata: Json = {}): Json {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', ...metadata },
    spec: { clusterIP: '10.96.0.10', ports: [{ port: 80 }], ...spec },
  };
}

/** The EndpointSlice `default/web-1` of that Service, with fields replaced. */
export function slice(fields: Json = {}, metadata: Json = {}): Json {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'web-1', labels: { 'kubernetes.io/service-name': 'web' }, ...metadata },
    addressType: 'IPv4',
    ports: [{ port: 8080 }],
    endpoints: [{ addresses: ['10.244.1.2'] }],
    ...fields,
  };
}
