// Which dispatch trees there are: for each look-up of the rule book a chain that packets enter, and the
// names of its branches. Pure.
import type { Family } from '../../../model/ip.ts';
import type { Action, DispatchName } from '../../../model/ruleset.ts';
import type { BranchPrefix, TableName } from '../names.ts';
import { fixedChains } from '../names.ts';
import { addressDigits } from './address-prefix.ts';
import { portDigits } from './port-prefix.ts';
import type { Digits, TreeChains } from './tree.ts';

type LookUp = Pick<Extract<Action, { kind: 'dispatch' }>, 'dispatch' | 'by'>;

/** A look-up by its name, such as `services by node-port`. */
export type TreeName = `${DispatchName} by ${LookUp['by']}`;

/** Where a tree stands. */
export type TreePlace = TreeChains & { readonly table: TableName };

/** All trees, in the order in which they are programmed. */
export const treePlaces: ReadonlyMap<TreeName, TreePlace> = new Map([
  // The tables and chains are kube-proxy's, which has a list in each.
  place('filter', 'source-ranges by address', [fixedChains.proxyFirewall, 'KUBE-FWS']),
  place('filter', 'health-ports by node-port', [fixedChains.nodePorts, 'KUBE-NPS']),
  place('filter', 'no-external-endpoints by address', [fixedChains.externalServices, 'KUBE-EXTS']),
  place('filter', 'no-external-endpoints by node-port', [
    fixedChains.externalNodePorts,
    'KUBE-ENPS',
  ]),
  place('filter', 'no-endpoints by address', [fixedChains.services, 'KUBE-SVCS']),
  place('nat', 'services by address', [fixedChains.services, 'KUBE-SVCS']),
  place('nat', 'services by node-port', [fixedChains.nodePorts, 'KUBE-NPS']),
]);

/** The tree of a look-up. */
export function treeName({ dispatch, by }: LookUp): TreeName {
  return `${dispatch} by ${by}`;
}

/** Where the tree of a look-up stands. */
export function treePlace(lookUp: LookUp): TreePlace {
  const found = treePlaces.get(treeName(lookUp));
  if (found === undefined) throw new Error(`iptables has no place for ${treeName(lookUp)}`);
  return found;
}

/** What a tree finds its entries by. */
export function treeDigits(name: TreeName, family: Family): Digits {
  return name.endsWith('by address') ? addressDigits(family) : portDigits;
}

function place(
  table: TableName,
  name: TreeName,
  [root, branches]: readonly [root: string, branches: BranchPrefix],
): readonly [TreeName, TreePlace] {
  return [name, { table, root, branches }];
}
