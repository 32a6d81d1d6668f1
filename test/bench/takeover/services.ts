// The Services that are opened while their rules change hands, as Kubernetes objects. Each has a port
// that is opened again and again, and one whose connections stay.
import { clusterRange, podEchoPort, pods } from '../../../src/lab/topology.ts';
import type { KubernetesObject } from '../../conformance/case.ts';
import { manifestText } from '../../conformance/manifests.ts';

/** What all ports of the Services have in common: where they lead to, in the pods. */
export const ports = [
  { name: 'open', port: 80, targetPort: 7001 },
  { name: 'held', port: 81, targetPort: podEchoPort },
] as const;

/** A port of a Service. */
export type ServicePort = (typeof ports)[number];

/** One of the Services. */
export type BenchService = { readonly name: string; readonly clusterIp: string };

/** All of them are in this namespace. */
export const namespace = 'bench';

/** What counts as pods' own addresses. */
export const podRange = clusterRange.ipv4;

/** The pods behind every Service, on both nodes. */
export const endpoints = pods.filter(({ host }) => ['p11', 'p12', 'p21'].includes(host));

/** As many Services as are wanted, 250 at most. */
export function benchServices(count: number): readonly BenchService[] {
  return Array.from({ length: count }, (_, n) => ({
    name: `web${n}`,
    clusterIp: `10.96.20.${n + 1}`,
  }));
}

/** The manifest file with the Services, their endpoints, and the nodes. */
export function manifestOf(services: readonly BenchService[]): string {
  const objects = services.flatMap((service) => [serviceObject(service), sliceObject(service)]);
  return manifestText(new Map(objects.map((object, index) => [`${index}`, object])));
}

function serviceObject({ name, clusterIp }: BenchService): KubernetesObject {
  const object = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: {
      type: 'ClusterIP',
      clusterIP: clusterIp,
      clusterIPs: [clusterIp],
      ports: ports.map((port) => ({ ...port, protocol: 'TCP' })),
    },
  };
  return object;
}

function sliceObject({ name }: BenchService): KubernetesObject {
  const object = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `${name}-a`, namespace, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    ports: ports.map(({ name: port, targetPort }) => ({
      name: port,
      port: targetPort,
      protocol: 'TCP',
    })),
    endpoints: endpoints.map(({ address, node }) => ({
      addresses: [address.ipv4],
      conditions: { ready: true, serving: true, terminating: false },
      nodeName: node.nodeName,
    })),
  };
  return object;
}
