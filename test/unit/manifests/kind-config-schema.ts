// The schema of a kind cluster's configuration, kind.x-k8s.io/v1alpha4. Written from the fields and values
// that kind documents (kind.sigs.k8s.io/docs/user/configuration, and the types in its package
// pkg/apis/config/v1alpha4), since kind publishes no schema of its own.
import { closed, type Schema } from './json-schema.ts';

const text: Schema = { type: 'string' };
const flag: Schema = { type: 'boolean' };
const texts: Schema = { type: 'array', items: text };
// -1 leaves the choice to Docker.
const port: Schema = { type: 'integer', minimum: -1, maximum: 65_535 };

function oneOf(...values: readonly string[]): Schema {
  return { enum: values };
}

function listOf(items: Schema): Schema {
  return { type: 'array', items };
}

function mapOf(values: Schema): Schema {
  return { type: 'object', additionalProperties: values };
}

const jsonPatches = listOf(
  closed({ group: text, version: text, kind: text, patch: text }, [
    'group',
    'version',
    'kind',
    'patch',
  ]),
);

const mount = closed({
  containerPath: text,
  hostPath: text,
  readOnly: flag,
  selinuxRelabel: flag,
  propagation: oneOf('None', 'HostToContainer', 'Bidirectional'),
});

const portMapping = closed({
  containerPort: port,
  hostPort: port,
  listenAddress: text,
  protocol: oneOf('TCP', 'UDP', 'SCTP'),
});

const node = closed({
  role: oneOf('control-plane', 'worker'),
  image: text,
  labels: mapOf(text),
  extraMounts: listOf(mount),
  extraPortMappings: listOf(portMapping),
  kubeadmConfigPatches: texts,
  kubeadmConfigPatchesJSON6902: jsonPatches,
});

const networking = closed({
  ipFamily: oneOf('ipv4', 'ipv6', 'dual'),
  apiServerPort: port,
  apiServerAddress: text,
  podSubnet: text,
  serviceSubnet: text,
  disableDefaultCNI: flag,
  kubeProxyMode: oneOf('iptables', 'ipvs', 'nftables', 'none'),
  dnsSearch: texts,
});

/** A whole file. */
export const kindConfigSchema: Schema = closed(
  {
    kind: oneOf('Cluster'),
    apiVersion: oneOf('kind.x-k8s.io/v1alpha4'),
    // Part of the names of containers.
    name: { type: 'string', pattern: '^[a-z0-9.-]+$' },
    nodes: listOf(node),
    networking,
    featureGates: mapOf(flag),
    runtimeConfig: mapOf(text),
    kubeadmConfigPatches: texts,
    kubeadmConfigPatchesJSON6902: jsonPatches,
    containerdConfigPatches: texts,
    containerdConfigPatchesJSON6902: texts,
  },
  ['kind', 'apiVersion'],
);
