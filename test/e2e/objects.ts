// What the end-to-end test puts into a cluster: pods on every node, and Services whose endpoints are those
// pods. Plain data.

/** Answers with its pod's name, and asks others on request. */
const image = 'registry.k8s.io/e2e-test-images/agnhost:2.53';

/** Where pods of the pod network answer, TCP and UDP. */
export const podPort = 8080;

/** Where pods of the node's network answer: rarely taken on a node. */
export const hostPort = 18_381;

/** The two sets of pods: with addresses of their own, and with their node's. */
export type PodSet = 'pods' | 'hosts';

/** The namespace; it says that pods with the node's network are meant. */
export function namespaceObject(name: string): object {
  const labels = { 'pod-security.kubernetes.io/enforce': 'privileged' };
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
}

/** One pod on every node, the control plane's included. */
export function daemonSetObject(name: PodSet): object {
  const port = portOf(name);
  const labels = { app: name };
  const args = ['netexec', `--http-port=${port}`, `--udp-port=${port}`];
  const readinessProbe = { httpGet: { path: '/healthz', port }, periodSeconds: 1 };
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name, labels },
    spec: {
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          hostNetwork: name === 'hosts',
          nodeSelector: { 'kubernetes.io/os': 'linux' },
          tolerations: [{ operator: 'Exists' }],
          terminationGracePeriodSeconds: 0,
          containers: [{ name: 'agnhost', image, args, readinessProbe }],
        },
      },
    },
  };
}

/** Where the pods of a set answer. */
export function portOf(set: PodSet): number {
  return set === 'pods' ? podPort : hostPort;
}

/** A Service for TCP and UDP in every family that the cluster has; `spec` adds to it. */
export function serviceObject(name: string, spec: object = {}): object {
  const port = (protocol: 'TCP' | 'UDP') => ({
    name: protocol.toLowerCase(),
    protocol,
    port: 80,
    targetPort: podPort,
  });
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { ports: [port('TCP'), port('UDP')], ipFamilyPolicy: 'PreferDualStack', ...spec },
  };
}

/** A pod as an endpoint. */
export type Endpoint = { readonly address: string; readonly nodeName: string };

export type AddressType = 'IPv4' | 'IPv6';

/** A slice, as it is sent. */
export type SliceObject = {
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  readonly [field: string]: unknown;
};

/** The slice that gives a Service without a selector its endpoints of one family. */
export function sliceObject(
  service: string,
  addressType: AddressType,
  endpoints: readonly Endpoint[],
): SliceObject {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: `${service}-${addressType.toLowerCase()}`,
      labels: { 'kubernetes.io/service-name': service },
    },
    addressType,
    endpoints: endpoints.map(({ address, nodeName }) => ({
      addresses: [address],
      conditions: { ready: true },
      nodeName,
    })),
    ports: [
      { name: 'tcp', protocol: 'TCP', port: podPort },
      { name: 'udp', protocol: 'UDP', port: podPort },
    ],
  };
}
