// Where our rules would answer otherwise than those that stand here: every Service address that either
// side knows, asked by a pod, by this node and from outside, through both, without a packet.
import { readOtherRules } from '../backends/other-rules.ts';
import type { Exec } from '../host/tools/exec.ts';
import type { Config, ProxyMode } from '../model/config.ts';
import type { FrontendAddress } from '../model/forwarding.ts';
import { frontendId } from '../model/forwarding.ts';
import type { Cidr, Family, Ip } from '../model/ip.ts';
import { familyOf, parseIp } from '../model/ip.ts';
import type { ClusterObject } from '../model/kubernetes.ts';
import type { Client, Difference } from '../netfilter/kube-proxy/compare.ts';
import { compare, packetsTo } from '../netfilter/kube-proxy/compare.ts';
import {
  addressToOthers,
  isPrivateToHost,
  outsideInterface,
  podInterface,
  stranger,
} from '../netfilter/senders.ts';
import type { Ruleset } from '../netfilter/trace.ts';
import { trace } from '../netfilter/trace.ts';
import { rulesetOf } from '../sync/offline.ts';
import { explainedBy } from './explained.ts';
import type { FoundRuleset } from './other-rules.ts';

/** What is compared with what stands here. */
export type ShadowInputs = {
  readonly objects: readonly ClusterObject[];
  readonly config: Config;
  /** All addresses on the host's interfaces. */
  readonly hostIps: readonly Ip[];
};

/** A packet that is handled differently, and whether changes in the cluster, or the proxy mode, explain it. */
export type ShadowDifference = Difference & { readonly isExplained: boolean };

/** What came out for one family. */
export type ShadowReport = {
  readonly family: Family;
  /** The mode of the rules that stand here; undefined where there are none, and nothing to compare with. */
  readonly theirs: ProxyMode | undefined;
  /** `kube-proxy in iptables mode`; '' where there are none. */
  readonly whose: string;
  readonly addresses: number;
  readonly packets: number;
  readonly differences: readonly ShadowDifference[];
};

/**
 * Compares the rules that ours would take the place of, as findReplaced found them, with ours, in each of these
 * families; reads the kernel and changes nothing. Families without such rules have an empty report.
 */
export async function compareWithOthers(
  exec: Exec,
  {
    families,
    found,
  }: {
    readonly families: readonly Family[];
    readonly found: readonly Pick<FoundRuleset, 'family'>[];
  },
  inputs: ShadowInputs,
): Promise<readonly ShadowReport[]> {
  const reports: ShadowReport[] = [];
  for (const family of families) {
    const isFound = found.some((one) => one.family === family);
    const report = isFound ? await compareWithOurs(exec, family, inputs) : undefined;
    reports.push(report ?? nothingToCompare(family));
  }
  return reports;
}

function nothingToCompare(family: Family): ShadowReport {
  return { family, theirs: undefined, whose: '', addresses: 0, packets: 0, differences: [] };
}

async function compareWithOurs(
  exec: Exec,
  family: Family,
  inputs: ShadowInputs,
): Promise<ShadowReport | undefined> {
  const { objects, config, hostIps } = inputs;
  const theirs = await readOtherRules(exec, { family, hostIps, mode: config.proxyMode });
  if (theirs === undefined) return undefined;
  const ruleset = rulesetOf(objects, { config, family, hostIps });
  const known = { theirs: theirs.addresses, ours: addressesOf(ruleset) };
  const addresses = union(known.ours, known.theirs);
  const nodeIps = hostIps.filter((ip) => familyOf(ip) === family && !isPrivateToHost(ip));
  const packets = [...packetsTo(addresses, { clients: clientsOf(family, inputs), nodeIps })];
  const ours = theirs.replacedBy((packet) => trace(ruleset, packet));
  const differences = [...compare(packets, { theirs: theirs.tracer, ours })];
  const isSameMode = theirs.mode === config.proxyMode;
  const isExplained = explainedBy(objects, { known, isSameMode });
  return {
    family,
    theirs: theirs.mode,
    whose: theirs.whose,
    addresses: addresses.length,
    packets: packets.length,
    differences: differences.map((one) => ({ ...one, isExplained: isExplained(one) })),
  };
}

function addressesOf({ services }: Ruleset): readonly FrontendAddress[] {
  return services.flatMap(({ entries }) =>
    entries.flatMap(({ dispatch, address }) => (dispatch === 'health-ports' ? [] : [address])),
  );
}

function union(...lists: readonly (readonly FrontendAddress[])[]): readonly FrontendAddress[] {
  const byId = new Map(lists.flat().map((address) => [frontendId(address), address]));
  return [...byId].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, address]) => address);
}

// A range of sources that somebody may come from is one more client; this many are enough to compare.
const maxRangeClients = 16;

function clientsOf(family: Family, { objects, config, hostIps }: ShadowInputs): readonly Client[] {
  const ours = (cidrs: readonly Cidr[]): readonly Cidr[] =>
    cidrs.filter((cidr) => familyOf(cidr) === family);
  const node = objects.find(({ kind, id }) => kind === 'Node' && id === config.nodeName)?.value;
  const nodeIps = node !== undefined && 'ips' in node ? node.ips : [];
  const podCidrs = node !== undefined && 'podCidrs' in node ? node.podCidrs : [];
  const { detectLocal } = config;
  const podCidr = ours([
    ...podCidrs,
    ...(detectLocal.mode === 'ClusterCIDR' ? detectLocal.clusterCidrs : []),
  ])[0];
  const nodeIp = addressToOthers(family, [...nodeIps, ...hostIps]);
  const ranges = objects.flatMap((object) =>
    object.kind === 'Service' ? ours(object.value.sourceRanges) : [],
  );
  const outside = (source: Ip): Client => ({
    origin: 'elsewhere',
    interface: outsideInterface,
    source,
  });
  return [
    ...(podCidr === undefined
      ? []
      : [{ ...outside(hostIn(podCidr)), interface: podInterface(config) }]),
    ...(nodeIp === undefined ? [] : [{ origin: 'node', interface: '', source: nodeIp } as const]),
    outside(stranger[family]),
    ...[...new Set(ranges)].slice(0, maxRangeClients).map((cidr) => outside(hostIn(cidr))),
  ];
}

// The network's own address serves as well as any: rules look at ranges.
function hostIn(cidr: Cidr): Ip {
  return parseIp(cidr.slice(0, cidr.indexOf('/'))) as Ip;
}
