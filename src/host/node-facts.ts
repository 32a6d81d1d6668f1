// What a node was seen to have: plain data, gathered by gather-facts.ts and judged elsewhere. Where
// something could not be looked at it is undefined, which is never the same as not being there.
import type { Family } from '../model/ip.ts';

/** The programs called iptables of each variant. */
export type IptablesVariant = 'nft' | 'legacy';

/** Rules of one family in one variant of iptables. */
export type IptablesFacts = {
  readonly variant: IptablesVariant;
  readonly family: Family;
  /** The names of all its chains; undefined where they could not be read. */
  readonly chains: ReadonlySet<string> | undefined;
  /** Its filter table, as iptables-save prints it; '' or absent where it has none. */
  readonly filter?: string;
};

/** A tool: what it answers when asked for its version; undefined where it is not installed. */
export type ToolVersions = Readonly<
  Record<'nft' | 'iptables' | 'conntrack' | 'ethtool', string | undefined>
>;

/** A network interface. */
export type InterfaceFacts = {
  readonly name: string;
  /** As `ip link` has it: vxlan, bridge, dummy, veth; '' for hardware. */
  readonly kind: string;
  /** Whether it leaves checksums to the hardware (tx-checksum-ip-generic); undefined: not looked at. */
  readonly checksumOffload: boolean | undefined;
};

/** A program in this network namespace. */
export type ProcessFacts = { readonly pid: number; readonly command: string };

export type NodeFacts = {
  /** Of the Node that runs this, `v24.1.0`. */
  readonly node: string;
  /** As `uname -r` prints it. */
  readonly kernel: string;
  readonly tools: ToolVersions;
  /** Names of nftables tables, `ip kube-proxy`; undefined where they could not be read. */
  readonly nftTables: readonly string[] | undefined;
  /** nft reads and writes JSON; undefined where it could not be asked. */
  readonly hasNftJson: boolean | undefined;
  readonly iptables: readonly IptablesFacts[];
  /** The names of ipsets; undefined where the tool is not there, and then nobody knows. */
  readonly ipsets: readonly string[] | undefined;
  readonly interfaces: readonly InterfaceFacts[] | undefined;
  readonly hasIpv6: boolean;
  /** Settings as sysctl(8) names them; those that this kernel does not have are absent. */
  readonly sysctls: ReadonlyMap<string, string>;
  /** Sums of `conntrack -S` over all processors; undefined where they could not be read. */
  readonly conntrackStats: ReadonlyMap<string, number> | undefined;
  /** Bits of the capabilities in force; undefined where the kernel does not say. */
  readonly capabilities: bigint | undefined;
  /** Why a start in the mode asked for would fail at its rules; undefined if it would not, or was not asked. */
  readonly rulesRefusal?: string | undefined;
  /** Service proxies that run here. */
  readonly proxies: readonly ProcessFacts[];
};
