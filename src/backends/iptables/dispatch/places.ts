// Which dispatch trees there are: for each look-up of the rule book a chain that packets enter, and the
// names of its branches. Pure.
import type { Family } from '../../../model/ip.ts';
import type { LookUp } from '../../../model/ruleset.ts';
import type { BranchPrefix, TableName } from '../names.ts';
import { fixedChains } from '../names.ts';
import { addressMatch } from './address-prefix.ts';
import { portMatch } from './port-prefix.ts';
import type { PrefixMatch, TreeChains } from './tree.ts';

/** A look-up by its name, such as `services by node-port`. */
export type TreeName = NameOf<LookUp>;
type NameOf<L extends LookUp> = L extends LookUp ? `${L['dispatch']} by ${L['by']}` : never;

/** Where a tree stands. */
export type TreePlace = TreeChains & { readonly table: TableName };

/** Where each tree is. */
export const treePlaces: Readonly<Record<TreeName, TreePlace>> = {
  // The tables and chains are kube-proxy's, which has a list in each.
  'source-ranges by address': place('filter', fixedChains.proxyFirewall, 'KUBE-FWS'),
  'health-ports by node-port': place('filter', fixedChains.nodePorts, 'KUBE-NPS'),
  'no-external-endpoints by address': place('filter', fixedChains.externalServices, 'KUBE-EXTS'),
  'no-external-endpoints by node-port': place('filter', fixedChains.externalNodePorts, 'KUBE-ENPS'),
  'no-endpoints by address': place('filter', fixedChains.services, 'KUBE-SVCS'),
  'services by address': place('nat', fixedChains.services, 'KUBE-SVCS'),
  'services by node-port': place('nat', fixedChains.nodePorts, 'KUBE-NPS'),
};

/** All trees, in the order in which they are programmed. */
export const treeNames = Object.keys(treePlaces) as readonly TreeName[];

/** The tree of a look-up. */
export function treeName({ dispatch, by }: Pick<LookUp, 'dispatch' | 'by'>): TreeName {
  return `${dispatch} by ${by}` as TreeName;
}

/** What the branches of a tree are entered by. */
export function treeMatch(name: TreeName, family: Family): PrefixMatch {
  return name.endsWith('by address') ? addressMatch(family) : portMatch;
}

function place(table: TableName, root: string, branches: BranchPrefix): TreePlace {
  return { table, root, branches };
}
