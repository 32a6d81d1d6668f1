// What the filter table of iptables lets through to endpoints and back: the chain FORWARD, its policy, and rules of
// others around kube-proxy's KUBE-FORWARD, which accepts what was masqueraded and what answers. A condition that
// cannot be decided from here may hold or not. Pure.
import type { Cidr, Ip } from '../../model/ip.ts';
import { cidrContains } from '../../model/ip.ts';
import { isLocalAddress } from '../../model/settings.ts';
import type { Packet } from '../trace.ts';
import { parseIptablesRule } from './iptables/parse-rule.ts';
import type { IptablesMatch, IptablesRule } from './iptables/rule.ts';
import { isKubernetesChain } from './iptables/targets.ts';
import type { TracedOutcome } from './outcome.ts';
import { wordsOf } from './read-iptables.ts';

/** The filter table of one family, as one iptables has it. */
export type ForwardFilter = {
  readonly policy: 'accept' | 'drop';
  /** Rules by chain; those of Kubernetes' chains are left out. */
  readonly chains: ReadonlyMap<string, readonly IptablesRule[]>;
};

/** KUBE-FORWARD is left where it is, or out; or it is where it is, and before all else where FORWARD has it not. */
export type KubeForward = 'as it is' | 'gone' | 'there';

/** What packets are sent through. */
export type ForwardPath = {
  /** Of every iptables that there is: a packet has to pass all of them. */
  readonly filters: readonly ForwardFilter[];
  readonly hostIps: readonly Ip[];
  /** The interface by which this host reaches an address; undefined where that is not known. */
  readonly deviceTo: (ip: Ip) => string | undefined;
};

const forward = 'FORWARD';
const kubeForward = 'KUBE-FORWARD';

/** Reads what iptables-save printed; undefined where FORWARD lets everything pass. */
export function readForwardFilter(saved: string): ForwardFilter | undefined {
  const table = /^\*filter\n(.*?)^COMMIT$/ms.exec(saved)?.[1] ?? '';
  const policy = /^:FORWARD DROP\b/m.test(table) ? 'drop' : 'accept';
  const chains = new Map<string, IptablesRule[]>();
  for (const [index, line] of table.split('\n').entries()) {
    const [, declared] = /^:(\S+)/.exec(line) ?? [];
    if (declared !== undefined && !isKubernetesChain(declared)) chains.set(declared, []);
    const [, chain = '', text = ''] = /^(?:\[\d+:\d+\] )?-A (\S+)(?: (.*))?$/.exec(line) ?? [];
    chains.get(chain)?.push(parseIptablesRule(wordsOf(text, index + 1), text));
  }
  const stops = [...chains.values()].flat().some(({ target: { kind } }) => {
    return kind === 'drop' || kind === 'reject';
  });
  return policy === 'drop' || stops ? { policy, chains } : undefined;
}

/**
 * The outcomes with what the filters make of them where KUBE-FORWARD is `kube`. What nobody can decide is `unknown`
 * only where KUBE-FORWARD is what lets it pass now.
 */
export function throughForward(
  outcomes: readonly TracedOutcome[],
  packet: Packet,
  { path, kube }: { readonly path: ForwardPath; readonly kube: KubeForward },
): readonly TracedOutcome[] {
  if (path.filters.length === 0 || packet.origin === 'node') return outcomes;
  return outcomes.map((outcome) => {
    if (outcome.verdict !== 'forwarded' || outcome.endpoint === undefined) return outcome;
    if (isLocalAddress(outcome.endpoint.ip, path.hostIps)) return outcome;
    const hops = hopsOf(packet, outcome, path);
    const then = worst(hops.map((hop) => passage(path.filters, hop, kube)));
    if (then === 'passes') return outcome;
    const why = [...outcome.why, forwardReasons[kube === 'gone' ? 'gone' : 'here']];
    if (then !== 'unsure') return { ...outcome, verdict: then, why };
    const now = worst(hops.map((hop) => passage(path.filters, hop, 'as it is')));
    return now === 'passes' ? { ...outcome, verdict: 'unknown', why } : outcome;
  });
}

/** What the last `why` of a packet says that does not pass: without KUBE-FORWARD, or in any case. */
export const forwardReasons = {
  gone: 'FORWARD in iptables does not let it pass without KUBE-FORWARD',
  here: 'FORWARD in iptables does not let it pass',
} as const;

/** Which connections to endpoints a filter lets pass without KUBE-FORWARD; `some`: by address or interface. */
export function passedBy(filter: ForwardFilter): 'all' | 'some' | 'none' {
  const nobody = { source: undefined, destination: undefined, port: undefined };
  const hop = { ...nobody, protocol: 'tcp', in: undefined, out: undefined, isMarked: false };
  const both = [false, true].map((isAnswer) => passage([filter], { ...hop, isAnswer }, 'gone'));
  const then = worst(both);
  if (then === 'passes') return 'all';
  return then === 'unsure' ? 'some' : 'none';
}

type Outcome = TracedOutcome & { readonly endpoint: NonNullable<TracedOutcome['endpoint']> };

/** A packet on its way through FORWARD; what is undefined is not known. */
type Hop = {
  readonly source: Ip | undefined;
  readonly destination: Ip | undefined;
  readonly protocol: string;
  /** Where it goes to. */
  readonly port: number | undefined;
  readonly in: string | undefined;
  readonly out: string | undefined;
  readonly isAnswer: boolean;
  readonly isMarked: boolean;
};

/** The first packet of the connection, and its answer: the sender's address is replaced only behind FORWARD. */
function hopsOf(
  { source, protocol }: Packet,
  { endpoint, isMasqueraded }: TracedOutcome,
  { deviceTo }: ForwardPath,
): readonly Hop[] {
  const { ip, port } = endpoint as Outcome['endpoint'];
  const [near, far] = [deviceTo(source), deviceTo(ip)];
  const both = { protocol, isMarked: isMasqueraded };
  return [
    { ...both, source, destination: ip, port, in: near, out: far, isAnswer: false },
    {
      ...both,
      source: ip,
      destination: source,
      port: undefined,
      in: far,
      out: near,
      isAnswer: true,
      isMarked: false,
    },
  ];
}

type Passage = 'passes' | 'unsure' | 'rejected' | 'dropped';

const fromWorst: readonly Passage[] = ['dropped', 'rejected', 'unsure', 'passes'];

function worst(all: readonly Passage[]): Passage {
  return fromWorst.find((one) => all.includes(one)) ?? 'passes';
}

function passage(filters: readonly ForwardFilter[], hop: Hop, kube: KubeForward): Passage {
  if (kube === 'there' && isAcceptedByKube(hop) && !filters.some(hasKubeForward)) return 'passes';
  return worst(
    filters.map((filter) => {
      const found = endsOf(forward, { filter, hop, kube }, 0);
      const ends = new Set([...found].map((end) => (end === 'on' ? filter.policy : end)));
      if (!ends.has('accept')) return ends.has('drop') ? 'dropped' : 'rejected';
      return ends.size === 1 ? 'passes' : 'unsure';
    }),
  );
}

function hasKubeForward({ chains }: ForwardFilter): boolean {
  return (chains.get(forward) ?? []).some(({ target }) => {
    return 'chain' in target && target.chain === kubeForward;
  });
}

function isAcceptedByKube({ isMarked, isAnswer }: Hop): boolean {
  return isMarked || isAnswer;
}

/** How a packet may leave a chain; `on`: to what comes behind it. */
type End = 'accept' | 'drop' | 'reject' | 'on';

type Through = { readonly filter: ForwardFilter; readonly hop: Hop; readonly kube: KubeForward };

const maxDepth = 20;

function endsOf(chain: string, through: Through, depth: number): ReadonlySet<End> {
  const ends = new Set<End>();
  if (depth > maxDepth) return new Set(['accept', 'drop']);
  for (const rule of through.filter.chains.get(chain) ?? []) {
    const holds = allHold(rule.matches, through.hop);
    if (holds === false) continue;
    const acted = endsOfRule(rule, through, depth);
    for (const end of acted) if (end !== 'on') ends.add(end === 'return' ? 'on' : end);
    if (holds === true && !acted.has('on')) return ends;
  }
  return ends.add('on');
}

function endsOfRule(
  { target }: IptablesRule,
  through: Through,
  depth: number,
): ReadonlySet<End | 'return'> {
  switch (target.kind) {
    case 'accept':
    case 'drop':
    case 'reject':
    case 'return':
      return new Set([target.kind]);
    case 'jump':
    case 'goto': {
      const isAsked = target.chain === kubeForward && through.kube !== 'gone';
      return new Set([isAsked && isAcceptedByKube(through.hop) ? 'accept' : 'on']);
    }
    case 'unknown':
      return endsOfOther(target.text, through, depth);
    case 'none':
    case 'mark':
    case 'masquerade':
    case 'dnat':
      return new Set(['on']);
  }
}

// Chains of others are no targets that are read elsewhere; LOG and the like let packets go on.
function endsOfOther(text: string, through: Through, depth: number): ReadonlySet<End | 'return'> {
  const [, flag, chain = ''] = /^-([jg]) (\S+)/.exec(text) ?? [];
  if (!through.filter.chains.has(chain)) return new Set(['on']);
  const ends = endsOf(chain, through, depth + 1);
  if (flag === 'j') return ends;
  return new Set([...ends].map((end) => (end === 'on' ? 'return' : end)));
}

/** Whether all conditions hold; undefined: nobody knows. */
function allHold(matches: readonly IptablesMatch[], hop: Hop): boolean | undefined {
  const all = matches.map((match) => holds(match, hop));
  if (all.includes(false)) return false;
  return all.includes(undefined) ? undefined : true;
}

function holds(match: IptablesMatch, hop: Hop): boolean | undefined {
  const when = (is: boolean | undefined, wanted: boolean): boolean | undefined =>
    is === undefined ? undefined : is === wanted;
  switch (match.kind) {
    case 'source':
    case 'destination':
      return when(contains(match.cidr, hop[match.kind]), match.is);
    case 'in-interface':
      return when(isNamed(match.name, hop.in), match.is);
    case 'protocol':
      return when(match.protocol === hop.protocol, match.is);
    case 'port': {
      const { port } = hop;
      const isWithin = port === undefined ? port : match.first <= port && port <= match.last;
      return when(isWithin, match.is);
    }
    case 'state': {
      const states = hop.isAnswer ? ['ESTABLISHED', 'DNAT'] : ['NEW', 'DNAT'];
      return when(
        match.states.some((state) => states.includes(state)),
        match.is,
      );
    }
    case 'unknown': {
      const [, not, name] = /^(! )?-o (\S+)$/.exec(match.text) ?? [];
      return name === undefined ? undefined : when(isNamed(name, hop.out), not === undefined);
    }
    case 'mark':
    case 'local':
    case 'random':
    case 'recent':
      return undefined;
  }
}

function contains(cidr: Cidr, ip: Ip | undefined): boolean | undefined {
  return ip === undefined ? undefined : cidrContains(cidr, ip);
}

function isNamed(pattern: string, name: string | undefined): boolean | undefined {
  if (name === undefined) return undefined;
  return pattern.endsWith('+') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}
