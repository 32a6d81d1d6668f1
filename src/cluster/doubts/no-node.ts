// Whether a node's name is one that the objects know. Under any other name, rules come out that look right, and
// that take no endpoint for one of this node.
import type { ClusterObject } from '../../model/kubernetes.ts';
import { printable, quoted } from '../problem.ts';

const enumeration = new Intl.ListFormat('en-GB');
const mostNamed = 4;

/** A line that says that the objects have no Node of this name; '' where they have, or where it means nothing. */
export function noNodeText(objects: readonly ClusterObject[], nodeName: string): string {
  const nodes = objects.flatMap(({ kind, id }) => (kind === 'Node' ? [id] : []));
  if (nodes.includes(nodeName)) return '';
  const ofEndpoints = nodesOfEndpoints(objects);
  const known = nodes.length > 0 ? nodes : ofEndpoints;
  // Without a Node at all, only what asks for this node's endpoints differs.
  if (known.length === 0 || (nodes.length === 0 && !objects.some(asksForNode))) return '';
  const without = `no object is a Node named ${quoted(nodeName)}`;
  if (ofEndpoints.includes(nodeName)) {
    return `${without}: its pod CIDRs and addresses are not known`;
  }
  const names = printable(namesOf(known));
  const effect = 'no endpoint counts as local; name the node with --hostname-override';
  return `${without} (there are ${names}): ${effect}`;
}

function namesOf(known: readonly string[]): string {
  const names = known.toSorted();
  if (names.length <= mostNamed) return enumeration.format(names);
  const shown = names.slice(0, mostNamed - 1);
  return enumeration.format([...shown, `${names.length - shown.length} more`]);
}

/** The names of the nodes that endpoints are on. */
export function nodesOfEndpoints(objects: readonly ClusterObject[]): readonly string[] {
  const names = objects.flatMap(({ kind, value }) =>
    kind === 'EndpointSlice' ? value.endpoints.flatMap(({ state }) => state.nodeName ?? []) : [],
  );
  return [...new Set(names)];
}

function asksForNode({ kind, value }: ClusterObject): boolean {
  if (kind === 'EndpointSlice')
    return value.endpoints.some(({ state }) => state.nodeHints.length > 0);
  if (kind !== 'Service') return false;
  return value.internalTrafficPolicy === 'Local' || value.externalTrafficPolicy === 'Local';
}
