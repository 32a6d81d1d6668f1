// The interface that a pod of this node is told by. Pure; for packets that nobody sends.
import type { Config } from '../model/config.ts';

/** An interface that packets of this node's pods come from, as far as the configuration tells them by it. */
export function podInterface({ detectLocal }: Config): string {
  switch (detectLocal.mode) {
    case 'BridgeInterface':
      return detectLocal.name;
    case 'InterfaceNamePrefix':
      return `${detectLocal.prefix}0`;
    case 'ClusterCIDR':
    case 'NodeCIDR':
      return 'pod';
  }
}
