// What marks a packet as a pod's in one IP family, and which field says so. Pure.
import type { Config } from '../model/config.ts';
import type { Cidr, Family } from '../model/ip.ts';
import { familyOf } from '../model/ip.ts';
import type { Node } from '../model/kubernetes.ts';
import type { Cause } from '../model/reason.ts';
import type { PodSource } from '../model/settings.ts';

/** The mark of a pod's traffic; undefined where nothing distinguishes it from other traffic. */
export type DetectedPods = { readonly source: PodSource | undefined; readonly cause: Cause };

/** Reads detectLocalMode with its argument, and the Node where that is meant. */
export function detectedPods(
  { detectLocal, nodeName }: Pick<Config, 'detectLocal' | 'nodeName'>,
  node: Pick<Node, 'podCidrs'> | undefined,
  family: Family,
): DetectedPods {
  switch (detectLocal.mode) {
    case 'ClusterCIDR':
      return byCidr(detectLocal.clusterCidrs, family, () => ({
        object: 'configuration',
        field: 'clusterCIDR',
      }));
    case 'NodeCIDR':
      return byCidr(node?.podCidrs ?? [], family, (index) => ({
        object: `Node ${nodeName}`,
        field: index < 0 ? 'spec.podCIDRs' : `spec.podCIDRs[${index}]`,
      }));
    case 'BridgeInterface': {
      const source = { kind: 'interface', name: detectLocal.name } as const;
      return { source, cause: configured('detectLocal.bridgeInterface', detectLocal.name) };
    }
    case 'InterfaceNamePrefix': {
      const source = { kind: 'interface-prefix', prefix: detectLocal.prefix } as const;
      return { source, cause: configured('detectLocal.interfaceNamePrefix', detectLocal.prefix) };
    }
  }
}

// The first range of the family counts.
function byCidr(
  cidrs: readonly Cidr[],
  family: Family,
  place: (index: number) => Omit<Cause, 'value'>,
): DetectedPods {
  const index = cidrs.findIndex((cidr) => familyOf(cidr) === family);
  const cidr = cidrs[index];
  return {
    source: cidr === undefined ? undefined : { kind: 'cidr', cidr },
    cause: { ...place(index), value: cidr ?? '' },
  };
}

function configured(field: string, value: string): Cause {
  return { object: 'configuration', field, value };
}
