// Who sends the packet, and by which field that is known. Pure.
import type { Cidr } from '../model/ip.ts';
import { cidrContains, familyOf } from '../model/ip.ts';
import type { Packet } from '../netfilter/trace.ts';
import { isFromPod } from '../netfilter/trace.ts';
import { isLocalAddress } from '../netfilter/node-port-address.ts';
import type { Cause, Decision } from './explanation.ts';
import type { World } from './world.ts';

/** Whether the sender is this node, one of the pods, or anybody else. */
export type ClientSide = {
  readonly isNode: boolean;
  /** Undefined where pods cannot be told from others. */
  readonly isPod: boolean | undefined;
};

/** What the rules can know of the sender. */
export function clientSide({ settings, hostIps }: World, packet: Packet): ClientSide {
  const { podSource } = settings;
  return {
    isNode: isLocalAddress(packet.source, hostIps),
    isPod: podSource === undefined ? undefined : isFromPod(packet, podSource),
  };
}

/** The decision on who sends. */
export function clientDecision(world: World, packet: Packet): Decision {
  const { isNode, isPod } = clientSide(world, packet);
  if (isNode) {
    const cause = { object: 'this node', field: 'interface addresses', value: packet.source };
    return { kind: 'from-node', cause };
  }
  const cause = podCause(world);
  if (isPod === undefined) return { kind: 'pods-unknown', cause };
  return { kind: isPod ? 'from-pod' : 'from-outside', cause };
}

/** The field by which pods are told from others. */
export function podCause({ config, family, node, settings }: World): Cause {
  const { podSource } = settings;
  const { detectLocal } = config;
  const value = podSource?.kind === 'cidr' ? podSource.cidr : '';
  switch (detectLocal.mode) {
    case 'ClusterCIDR':
      return { object: 'configuration', field: 'clusterCIDR', value };
    case 'NodeCIDR': {
      const index = (node?.podCidrs ?? []).findIndex((cidr) => familyOf(cidr) === family);
      const field = index < 0 ? 'spec.podCIDRs' : `spec.podCIDRs[${index}]`;
      return { object: `Node ${config.nodeName}`, field, value };
    }
    case 'BridgeInterface':
      return {
        object: 'configuration',
        field: 'detectLocal.bridgeInterface',
        value: detectLocal.name,
      };
    case 'InterfaceNamePrefix':
      return {
        object: 'configuration',
        field: 'detectLocal.interfaceNamePrefix',
        value: detectLocal.prefix,
      };
  }
}

/** The first of the ranges that holds the address. */
export function rangeOf(ranges: readonly Cidr[], { source }: Packet): Cidr | undefined {
  return ranges.find((cidr) => cidrContains(cidr, source));
}
