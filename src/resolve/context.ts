// What of the node and the configuration the decisions of one family depend on: made once for all Services. Pure.
import type { Config } from '../model/config.ts';
import type { Masquerade, Sourcing } from '../model/forwarding.ts';
import type { Family, Ip } from '../model/ip.ts';
import type { Node } from '../model/kubernetes.ts';
import type { Cause, SourceKind } from '../model/reason.ts';
import { nodeIpsOf } from './node-ips.ts';
import type { DetectedPods } from './pod-source.ts';
import { detectedPods } from './pod-source.ts';
import type { NodeView } from './select.ts';

/** Whose source address is replaced at ClusterIPs, and why. */
export type InternalSource = Sourcing & { readonly masquerade: Masquerade };

export type ResolveContext = NodeView & {
  readonly family: Family;
  readonly internal: InternalSource;
  /** This node's address in the family, or undefined where it is not known. */
  readonly nodeIp: Ip | undefined;
};

/** The context of one family. */
export function resolveContext(
  config: Config,
  node: Node | undefined,
  family: Family,
): ResolveContext {
  const { nodeName, masqueradeAll } = config;
  return {
    family,
    nodeName,
    zone: node?.zone ?? '',
    internal: internalSource(masqueradeAll, detectedPods(config, node, family)),
    nodeIp: nodeIpsOf(config, node).ips[family],
  };
}

/** Pods keep their address, all others have theirs replaced: the answer must come back through this node. */
export function internalSource(
  masqueradeAll: boolean,
  { source, cause }: DetectedPods,
): InternalSource {
  if (masqueradeAll) {
    const sourceCause: Cause = { object: 'configuration', field: 'masqueradeAll', value: 'true' };
    return { masquerade: 'all', source: forAll('masquerade-all'), sourceCause };
  }
  if (source === undefined) {
    return { masquerade: 'none', source: forAll('keep-undetected'), sourceCause: cause };
  }
  return {
    masquerade: 'from-outside-the-pod-network',
    source: { ...forAll('masquerade-outside'), pod: 'keep-pod' },
    sourceCause: cause,
  };
}

function forAll(kind: SourceKind): Sourcing['source'] {
  return { pod: kind, node: kind, outside: kind };
}
