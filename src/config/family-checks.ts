// What only shows at start: whether addresses in the configuration are of IP families that this node
// can serve. The Config and what is known of the node in, faults and warnings out. Pure.
import type { Config } from '../model/config.ts';
import { families, familyOf, type Cidr, type Family } from '../model/ip.ts';

/** What is known of the node. */
export type NodeFamilies = {
  /** The family of the node's first address, or of bindAddress. */
  readonly primary: Family;
  /** The families that the kernel can be programmed for. */
  readonly supported: readonly Family[];
  /** The Node's podCIDRs. */
  readonly podCidrs: readonly Cidr[];
};

/** What is wrong; with a fault, the proxy must not start. */
export type FamilyFindings = {
  readonly faults: readonly string[];
  readonly warnings: readonly string[];
  /** What is as in kube-proxy, and could be better. */
  readonly notes: readonly string[];
};

type Finding = { readonly kind: 'fault' | 'warning' | 'note'; readonly message: string };

/** Checks the families of clusterCIDR, podCIDRs, nodePortAddresses and the servers' addresses. */
export function checkFamilies(config: Config, node: NodeFamilies): FamilyFindings {
  const { primary, supported } = node;
  const isDual = supported.length > 1;
  const findings: readonly Finding[] = supported.includes(primary)
    ? [
        ...rangeFindings(config, node, isDual),
        ...nodePortFindings(config, node),
        ...(isDual ? [] : serverFindings(config, primary)),
      ]
    : [{ kind: 'fault', message: `this node's addresses are ${primary}, which it cannot serve` }];
  const of = (kind: Finding['kind']): readonly string[] =>
    findings.filter((finding) => finding.kind === kind).map(({ message }) => message);
  return { faults: of('fault'), warnings: of('warning'), notes: of('note') };
}

function rangeFindings(
  { detectLocal, document }: Config,
  { primary, podCidrs }: NodeFamilies,
  isDual: boolean,
): readonly Finding[] {
  const isOther = (cidrs: readonly Cidr[]): boolean =>
    cidrs.length > 0 && cidrs.every((cidr) => familyOf(cidr) !== primary);
  const clusterCidrs = cidrsIn(document['clusterCIDR']);
  const { mode } = detectLocal;
  return [
    ...(isOther(clusterCidrs)
      ? [
          {
            kind: mode === 'ClusterCIDR' && !isDual ? ('fault' as const) : ('warning' as const),
            message: `clusterCIDR: ${clusterCidrs.join(',')} has no ${primary}, which this node's addresses are`,
          },
        ]
      : []),
    ...(isOther(podCidrs)
      ? [
          {
            kind: mode === 'NodeCIDR' ? ('fault' as const) : ('warning' as const),
            message: `the Node's podCIDRs: ${podCidrs.join(',')} have no ${primary}, which its addresses are`,
          },
        ]
      : []),
  ];
}

function nodePortFindings(
  { nodePortAddresses, document }: Config,
  { primary, podCidrs }: NodeFamilies,
): readonly Finding[] {
  if (nodePortAddresses === 'primary') return [];
  if (nodePortAddresses.length === 0) {
    const message =
      'nodePortAddresses: not set, so node ports answer at all local addresses; primary would limit them';
    return [{ kind: 'note', message }];
  }
  const own = familiesOf(nodePortAddresses);
  const isDualConfig = [podCidrs, cidrsIn(document['clusterCIDR']), nodePortAddresses].some(
    (cidrs) => familiesOf(cidrs).length > 1,
  );
  const expected = isDualConfig ? families : [primary];
  return expected
    .filter((family) => !own.includes(family))
    .map((family) => ({
      kind: 'warning',
      message: `nodePortAddresses: ${nodePortAddresses.join(',')} has no ${family}, so ${family} node ports answer at all local addresses`,
    }));
}

function serverFindings(config: Config, primary: Family): readonly Finding[] {
  return (['healthzBindAddress', 'metricsBindAddress'] as const).flatMap((name) => {
    const ip = config[name]?.ip;
    if (ip === undefined || ip === '0.0.0.0' || ip === '::' || familyOf(ip) === primary) return [];
    const message = `${name}: ${ip} is not ${primary}, which this node's addresses are`;
    return [{ kind: 'warning', message }];
  });
}

function familiesOf(cidrs: readonly Cidr[]): readonly Family[] {
  return families.filter((family) => cidrs.some((cidr) => familyOf(cidr) === family));
}

// Of the document, since detectLocal keeps it in its own mode alone.
function cidrsIn(text: unknown): readonly Cidr[] {
  return typeof text === 'string' && text !== '' ? (text.split(',') as Cidr[]) : [];
}
