// Where our rules would answer otherwise than those that stand here: every Service address that either
// side knows, asked by a pod, by this node and from outside, through both, without a packet.
import { readOtherRules } from '../backends/kube-proxy.ts';
import type { Exec } from '../host/tools/exec.ts';
import type { Config, ProxyMode } from '../model/config.ts';
import type { FrontendAddress } from '../model/forwarding.ts';
import { frontendId } from '../model/forwarding.ts';
import type { Cidr, Family, Ip } from '../model/ip.ts';
import { familyOf, parseIp } from '../model/ip.ts';
import type { ClusterObject } from '../model/kubernetes.ts';
import type { Client, Difference } from '../netfilter/kube-proxy/compare.ts';
import { compare, packetsTo } from '../netfilter/kube-proxy/compare.ts';
import type { Tracer } from '../netfilter/kube-proxy/outcome.ts';
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

/** What is compared with what stands here. */
export type ShadowInputs = {
  readonly objects: readonly ClusterObject[];
  readonly config: Config;
  /** All addresses on the host's interfaces. */
  readonly hostIps: readonly Ip[];
};

/** What came out for one family. */
export type ShadowReport = {
  readonly family: Family;
  /** Whose rules stand here; undefined where there are none, and nothing to compare with. */
  readonly theirs: ProxyMode | undefined;
  readonly addresses: number;
  readonly packets: number;
  readonly differences: readonly Difference[];
};

/** Compares one family's rules; reads the kernel and changes nothing. */
export async function compareWithOurs(
  exec: Exec,
  family: Family,
  inputs: ShadowInputs,
): Promise<ShadowReport> {
  const { objects, config, hostIps } = inputs;
  const ruleset = rulesetOf(objects, { config, family, hostIps });
  const theirs = await readOtherRules(exec, family, hostIps);
  if (theirs === undefined) {
    return { family, theirs: undefined, addresses: 0, packets: 0, differences: [] };
  }
  const addresses = union(addressesOf(ruleset), theirs.addresses);
  const nodeIps = hostIps.filter((ip) => familyOf(ip) === family && !isPrivateToHost(ip));
  const packets = [...packetsTo(addresses, { clients: clientsOf(family, inputs), nodeIps })];
  const ours: Tracer = (packet) => trace(ruleset, packet);
  const differences = [...compare(packets, { theirs: theirs.tracer, ours })];
  const counts = { addresses: addresses.length, packets: packets.length };
  return { family, theirs: theirs.mode, ...counts, differences };
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
