// Every Service address that kube-proxy's rules send somewhere or refuse, so that addresses that only
// kube-proxy knows are found too. In: its rules as data. Out: addresses, each once, sorted.
import type { FrontendAddress } from '../../model/forwarding.ts';
import { frontendId } from '../../model/forwarding.ts';
import type { Ip } from '../../model/ip.ts';
import type { Protocol } from '../../model/kubernetes.ts';
import type { IptablesRule } from './iptables/rule.ts';
import { namedAddress } from './iptables/rule.ts';
import type { NftStatement } from './nftables/statement.ts';
import type { IptablesChain, IptablesRules } from './read-iptables.ts';
import type { NftTable } from './read-nft.ts';

/** The addresses in rules of iptables. */
export function iptablesAddresses(rules: IptablesRules): readonly FrontendAddress[] {
  const all = [rules.nat, rules.filter].flatMap((chains) =>
    [...reachable(chains)].flatMap((chain) => chain.rules.flatMap(addressOfRule)),
  );
  return distinct(all);
}

/** The chains that packets get to from a built-in chain. */
function reachable(chains: ReadonlyMap<string, IptablesChain>): ReadonlySet<IptablesChain> {
  const found = new Set<IptablesChain>();
  const waiting = [...chains].flatMap(([name, chain]) => (isBuiltIn(name) ? [chain] : []));
  for (let chain = waiting.pop(); chain !== undefined; chain = waiting.pop()) {
    if (found.has(chain)) continue;
    found.add(chain);
    for (const { target } of chain.rules) {
      const to = 'chain' in target ? chains.get(target.chain) : undefined;
      if (to !== undefined) waiting.push(to);
    }
  }
  return found;
}

function isBuiltIn(name: string): boolean {
  return /^(PREROUTING|INPUT|FORWARD|OUTPUT|POSTROUTING)$/.test(name);
}

// Accepted are health check node ports, which this node itself answers.
function addressOfRule(rule: IptablesRule): readonly FrontendAddress[] {
  const { kind } = rule.target;
  if (kind === 'accept' || kind === 'return' || kind === 'none') return [];
  const { ip, protocol: name = '', port } = namedAddress(rule);
  const protocol = protocolOf(name);
  return protocol === undefined || port === undefined ? [] : [{ ip, protocol, port }];
}

/** The addresses in maps of nftables by which packets are sent somewhere or refused. */
export function nftAddresses({ chains }: NftTable): readonly FrontendAddress[] {
  const looked = new Set<unknown>();
  return distinct(
    [...chains.values()].flat().flatMap(({ statements }) =>
      statements.flatMap((statement) => {
        if (statement.kind !== 'verdict-map' || looked.has(statement.lookup)) return [];
        looked.add(statement.lookup);
        return addressesIn(statement);
      }),
    ),
  );
}

type VerdictMap = Extract<NftStatement, { kind: 'verdict-map' }>;

function addressesIn({ fields, lookup }: VerdictMap): readonly FrontendAddress[] {
  const place = (kind: string): number => fields.findIndex((field) => field.kind === kind);
  const [ipAt, protocolAt, portAt] = [place('destination'), place('protocol'), place('port')];
  if (protocolAt < 0 || portAt < 0) return [];
  return [...lookup.exact.keys()].flatMap((key) => {
    const parts = key.split(' ');
    const protocol = protocolOf(parts[protocolAt] ?? '');
    const ip = ipAt < 0 ? undefined : (parts[ipAt] as Ip);
    return protocol === undefined ? [] : [{ ip, protocol, port: Number(parts[portAt]) }];
  });
}

function protocolOf(name: string): Protocol | undefined {
  return name === 'tcp' || name === 'udp' || name === 'sctp' ? name : undefined;
}

function distinct(addresses: readonly FrontendAddress[]): readonly FrontendAddress[] {
  const byId = new Map(addresses.map((address) => [frontendId(address), address]));
  return [...byId].toSorted(([left], [right]) => (left < right ? -1 : 1)).map(([, one]) => one);
}
