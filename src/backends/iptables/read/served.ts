// What the units of an iptables Program do for the clients of each Service address. Pure; what a rule
// says is read as kube-proxy's rules are, so that its chains, taken over or saved, are understood too.
import { frontendId, hostPort } from '../../../model/forwarding.ts';
import type { FrontendAddress } from '../../../model/forwarding.ts';
import type { Family } from '../../../model/ip.ts';
import type { Protocol } from '../../../model/kubernetes.ts';
import { servicePortNamed } from '../../../model/kubernetes.ts';
import type { IptablesRule } from '../../../netfilter/kube-proxy/iptables/rule.ts';
import { namedAddress } from '../../../netfilter/kube-proxy/iptables/rule.ts';
import type { IptablesChain } from '../../../netfilter/kube-proxy/read-iptables.ts';
import { readIptables } from '../../../netfilter/kube-proxy/read-iptables.ts';
import type { Program } from '../../../netfilter/program.ts';
import type { Served } from '../../../netfilter/served.ts';
import { fixedChains, portPrefixOf } from '../names.ts';
import type { IptablesUnit } from '../unit.ts';

type Chains = ReadonlyMap<string, IptablesChain>;

/** Every Service address that these units know; throws RulesetError where a rule is none. */
export function servedBy(family: Family, units: Program<IptablesUnit>): readonly Served[] {
  const { nat, filter } = readIptables(textOf(units));
  const served = new Map<string, Served>();
  for (const rule of dispatchRules(nat)) {
    const common = commonOf(family, rule);
    if (common === undefined || !('chain' in rule.target)) continue;
    const way = wayFrom(nat, rule.target.chain);
    served.set(frontendId(common.address), { ...common, fate: 'forward', ...way });
  }
  for (const rule of dispatchRules(filter)) {
    const { kind } = rule.target;
    const common = commonOf(family, rule);
    if (common === undefined || (kind !== 'reject' && kind !== 'drop')) continue;
    const id = frontendId(common.address);
    if (!served.has(id)) served.set(id, { ...common, fate: kind, ...nowhere });
  }
  return [...served.values()];
}

const nowhere = {
  endpoints: [],
  outside: undefined,
  affinitySeconds: 0,
  allowFrom: undefined,
  masquerade: [],
} as const;

/** The units as iptables-save prints them; every chain that a rule names is there. */
function textOf(units: Program<IptablesUnit>): string {
  const tables = { nat: tableText(), filter: tableText() };
  for (const { table, chain, text } of units.values()) {
    if (table === 'mangle') continue;
    tables[table].chains.add(chain);
    if (text === '') continue;
    tables[table].rules.push(text);
    for (const [, to = ''] of text.matchAll(/ -[jg] (KUBE-\S+)/g)) tables[table].chains.add(to);
  }
  return Object.entries(tables)
    .map(([name, { chains, rules }]) => {
      const declared = [...chains].map((chain) => `:${chain} - [0:0]`);
      return [`*${name}`, ...declared, ...rules, 'COMMIT', ''].join('\n');
    })
    .join('');
}

function tableText(): { readonly chains: Set<string>; readonly rules: string[] } {
  return { chains: new Set(), rules: [] };
}

const roots = /^(PREROUTING|INPUT|FORWARD|OUTPUT)$/;

/** The rules on the way from the kernel's chains to those of Services: what stands in these is no dispatch. */
function dispatchRules(chains: Chains): readonly IptablesRule[] {
  const waiting = [...chains.keys()].filter((name) => roots.test(name));
  const entered = new Set<string>();
  const rules: IptablesRule[] = [];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (entered.has(name) || portPrefixOf(name) !== undefined) continue;
    entered.add(name);
    for (const rule of chains.get(name)?.rules ?? []) {
      rules.push(rule);
      if ('chain' in rule.target) waiting.push(rule.target.chain);
    }
  }
  return rules;
}

function commonOf(family: Family, rule: IptablesRule) {
  const { ip, protocol, port } = namedAddress(rule);
  const named = servicePortNamed(rule.comment);
  const isOther = 'chain' in rule.target && portChainOf(rule) === undefined;
  if (named === undefined || port === undefined || isOther || !isProtocol(protocol)) {
    return undefined;
  }
  const address: FrontendAddress = { ip, protocol, port };
  return { family, address, ...named };
}

function isProtocol(name: string | undefined): name is Protocol {
  return name === 'tcp' || name === 'udp' || name === 'sctp';
}

type Way = Pick<Served, 'endpoints' | 'outside' | 'affinitySeconds' | 'allowFrom' | 'masquerade'>;

function wayFrom(chains: Chains, name: string): Way {
  const rules = chains.get(name)?.rules ?? [];
  const prefix = portPrefixOf(name);
  if (prefix === 'KUBE-FW' || prefix === 'KUBE-FWC') {
    const passing = rules.filter((rule) => portChainOf(rule) !== undefined);
    const [next] = passing.flatMap((rule) => portChainOf(rule) ?? []);
    const way = next === undefined ? nowhere : wayFrom(chains, next);
    return { ...way, allowFrom: passing.flatMap(sourceOf) };
  }
  const masquerade = rules.flatMap(marking);
  if (prefix !== 'KUBE-EXT' && prefix !== 'KUBE-XLB') {
    return { ...poolAt(chains, name), outside: undefined, allowFrom: undefined, masquerade };
  }
  const ways = rules.flatMap((rule) => {
    const to = portChainOf(rule);
    return to === undefined ? [] : [{ to, isForAll: rule.matches.length === 0 }];
  });
  const some = ways.find(({ isForAll }) => !isForAll)?.to;
  const all = ways.find(({ isForAll }) => isForAll)?.to;
  const outside = some === undefined ? undefined : poolAt(chains, all).endpoints;
  return { ...poolAt(chains, some ?? all), outside, allowFrom: undefined, masquerade };
}

/** The chain of a Service port that a rule leads to. */
function portChainOf({ target }: IptablesRule): string | undefined {
  if (!('chain' in target)) return undefined;
  return portPrefixOf(target.chain) === undefined ? undefined : target.chain;
}

function sourceOf({ matches }: IptablesRule): readonly string[] {
  return matches.flatMap((match) => (match.kind === 'source' ? [match.cidr] : []));
}

/** On which condition a rule has the client's address replaced. */
function marking({ target, matches }: IptablesRule): readonly string[] {
  if (!('chain' in target) || target.chain !== fixedChains.markMasquerade) return [];
  const conditions = matches.flatMap((match) => {
    if (match.kind === 'source') return [`${match.is ? '' : '! '}-s ${match.cidr}`];
    if (match.kind === 'in-interface') return [`${match.is ? '' : '! '}-i ${match.name}`];
    return match.kind === 'local' ? [`${match.end} local`] : [];
  });
  return [conditions.join(' ') || 'always'];
}

function poolAt(
  chains: Chains,
  name: string | undefined,
): Pick<Served, 'endpoints' | 'affinitySeconds'> {
  const rules = chains.get(name ?? '')?.rules ?? [];
  const targets = rules.flatMap((rule) => {
    const to = portChainOf(rule);
    return to !== undefined && portPrefixOf(to) === 'KUBE-SEP' ? [to] : [];
  });
  const endpoints = [...new Set(targets)].flatMap((target) =>
    (chains.get(target)?.rules ?? []).flatMap((rule) =>
      rule.target.kind === 'dnat' ? [hostPort(rule.target.ip, rule.target.port ?? 0)] : [],
    ),
  );
  const seconds = rules.flatMap(({ text }) => / --seconds (\d+)/.exec(text)?.[1] ?? []);
  return {
    endpoints: [...new Set(endpoints)].toSorted(),
    affinitySeconds: Number(seconds[0] ?? 0),
  };
}
