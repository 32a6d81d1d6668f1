// What happens to a packet, by the rules alone and without a kernel: every outcome that is possible,
// with its share and the rules that led to it. Pure; this is the meaning that both backends must spell.
import type { Endpoint } from '../model/forwarding.ts';
import { frontendId } from '../model/forwarding.ts';
import type { Ip } from '../model/ip.ts';
import { cidrContains } from '../model/ip.ts';
import type { Protocol } from '../model/kubernetes.ts';
import type {
  Action,
  DispatchEntry,
  Hook,
  Match,
  Part,
  Rule,
  ServiceRules,
} from '../model/ruleset.ts';
import { isLocalAddress, takesNodePorts } from '../model/settings.ts';

/** Everything that the packets of one family may meet. */
export type Ruleset = {
  readonly parts: readonly Part[];
  readonly services: readonly ServiceRules[];
  /** All addresses on the host's interfaces; loopback counts as local without being named. */
  readonly hostIps: readonly Ip[];
};

/** The first packet of a connection. */
export type Packet = {
  /** Where it comes from: this node itself, or anything that is routed through it. */
  readonly origin: 'node' | 'elsewhere';
  /** The interface that it comes in by; '' from the node itself. */
  readonly interface: string;
  readonly source: Ip;
  readonly destination: Ip;
  readonly protocol: Protocol;
  readonly port: number;
};

/** How a connection may go on. */
export type Verdict = 'forwarded' | 'untouched' | 'rejected' | 'dropped';

/** One possible end of a packet's way. */
export type Outcome = {
  readonly verdict: Verdict;
  /** Where a forwarded connection goes. */
  readonly endpoint: Endpoint | undefined;
  readonly isMasqueraded: boolean;
  /** The part of all such connections that end like this, above 0 and up to 1. */
  readonly share: number;
  /** Why, rule by rule, for rules that did something. */
  readonly why: readonly string[];
};

type Walk = Omit<Outcome, 'verdict'> & {
  readonly destination: Ip;
  readonly port: number;
  readonly mark: number;
  /** `returned`: has left the chain that a dispatch led to, but not the part. */
  readonly verdict:
    | Exclude<Verdict, 'forwarded' | 'untouched'>
    | 'accepted'
    | 'returned'
    | undefined;
};

/** All ends that the connection of `packet` may come to; their shares add up to 1. */
export function trace(ruleset: Ruleset, packet: Packet): readonly Outcome[] {
  const start: Walk = {
    destination: packet.destination,
    port: packet.port,
    mark: 0,
    verdict: undefined,
    endpoint: undefined,
    isMasqueraded: false,
    share: 1,
    why: [],
  };
  const context = { ruleset, packet };
  const run = (walks: readonly Walk[], hook: Hook): readonly Walk[] =>
    walks.flatMap((walk) => (isStopped(walk) ? [walk] : runHook(walk, hook, context)));
  const translated = hooksBeforeRouting[packet.origin].reduce(run, [start]);
  return translated
    .flatMap((walk) => hooksAfterRouting(walk, context).reduce(run, [walk]))
    .map(outcomeOf);
}

const hooksBeforeRouting: Readonly<Record<Packet['origin'], readonly Hook[]>> = {
  node: ['filter-output-pre-dnat', 'nat-output'],
  elsewhere: ['filter-prerouting-pre-dnat', 'nat-prerouting'],
};

// What is meant for this node comes in, all else leaves it; what it sends to itself does both.
function hooksAfterRouting(walk: Walk, context: Context): readonly Hook[] {
  const isForNode = isLocalAddress(walk.destination, context.ruleset.hostIps);
  if (context.packet.origin === 'elsewhere') {
    return isForNode ? ['filter-input'] : ['filter-forward', 'nat-postrouting'];
  }
  return ['filter-output', 'nat-postrouting', ...(isForNode ? (['filter-input'] as const) : [])];
}

type DispatchAction = Extract<Action, { kind: 'dispatch' }>;
type Context = { readonly ruleset: Ruleset; readonly packet: Packet };

function runHook(start: Walk, hook: Hook, context: Context): readonly Walk[] {
  let walks: readonly Walk[] = [{ ...start, verdict: undefined }];
  for (const part of context.ruleset.parts) {
    if (part.hooks.includes(hook)) walks = runRules(walks, part.rules, context);
  }
  return walks;
}

function runRules(
  start: readonly Walk[],
  rules: readonly Rule[],
  context: Context,
): readonly Walk[] {
  let walks = start;
  for (const rule of rules) {
    walks = walks.flatMap((walk) => {
      // A translated connection has left the translating chains; a verdict ends a hook.
      const isDone = walk.verdict !== undefined;
      if (isDone || !rule.when.every((match) => fits(walk, match, context))) return [walk];
      return act(walk, rule, context);
    });
  }
  return walks;
}

function act(walk: Walk, rule: Rule, context: Context): readonly Walk[] {
  const why = rule.why === '' ? walk.why : [...walk.why, rule.why];
  switch (rule.then.kind) {
    case 'dispatch':
      return dispatch(walk, rule.then, context);
    case 'balance': {
      const { members } = rule.then.pool;
      return members.map((endpoint) => ({
        ...walk,
        why,
        endpoint,
        destination: endpoint.ip,
        port: endpoint.port,
        share: walk.share / members.length,
        verdict: 'accepted',
      }));
    }
    case 'mark':
      return [{ ...walk, why, mark: walk.mark | rule.then.mark }];
    case 'masquerade':
      return [{ ...walk, why, isMasqueraded: true, verdict: 'accepted' }];
    case 'return':
      return [{ ...walk, why, verdict: 'returned' }];
    case 'accept':
      return [{ ...walk, why, verdict: 'accepted' }];
    case 'reject':
      return [{ ...walk, why, verdict: 'rejected' }];
    case 'drop':
      return [{ ...walk, why, verdict: 'dropped' }];
  }
}

const verdicts = { reject: 'rejected', drop: 'dropped', accept: 'accepted' } as const;

function dispatch(walk: Walk, action: DispatchAction, context: Context): readonly Walk[] {
  const entry = findEntry(walk, action, context);
  if (entry === undefined) return [walk];
  const found = { ...walk, why: [...walk.why, entry.why] };
  if ('verdict' in entry.to) return [{ ...found, verdict: verdicts[entry.to.verdict] }];
  return runRules([found], entry.to.rules, context).map((end) =>
    end.verdict === 'returned' ? { ...end, verdict: undefined } : end,
  );
}

function findEntry(
  { destination, port }: Walk,
  { dispatch: name, by }: DispatchAction,
  { ruleset, packet: { protocol } }: Context,
): DispatchEntry | undefined {
  const ip = by === 'address' ? destination : undefined;
  return indexOf(ruleset).entries.get(`${name} ${frontendId({ ip, protocol, port })}`);
}

/** What is looked up of a ruleset, by what it is looked up with. */
type Index = {
  readonly entries: ReadonlyMap<string, DispatchEntry>;
  readonly clusterIps: ReadonlySet<Ip>;
};

// A ruleset is traced many times over; it never changes once it is made.
const indexes = new WeakMap<Ruleset, Index>();

function indexOf(ruleset: Ruleset): Index {
  const known = indexes.get(ruleset);
  if (known !== undefined) return known;
  const entries = ruleset.services.flatMap((service) =>
    service.entries.map(
      (entry) => [`${entry.dispatch} ${frontendId(entry.address)}`, entry] as const,
    ),
  );
  // Where two have one key the first counts.
  const index = {
    entries: new Map(entries.toReversed()),
    clusterIps: new Set(ruleset.services.flatMap(({ clusterIps }) => clusterIps)),
  };
  indexes.set(ruleset, index);
  return index;
}

function fits(walk: Walk, match: Match, { ruleset, packet }: Context): boolean {
  const { destination: ip, port } = walk;
  switch (match.kind) {
    case 'to-frontend':
      return frontendId(match.address) === frontendId({ ip, protocol: packet.protocol, port });
    case 'from-pod':
      return match.is === isFromPod(packet, match.podSource);
    case 'to-cluster-ip':
      return indexOf(ruleset).clusterIps.has(ip);
    case 'to-cidr':
      return cidrContains(match.cidr, ip);
    case 'from-cidr':
      return match.is === cidrContains(match.cidr, packet.source);
    case 'from-node':
      return isLocalAddress(packet.source, ruleset.hostIps);
    case 'to-node-port-address':
      return takesNodePorts(match.addresses, ip, ruleset.hostIps);
    case 'marked':
      return (walk.mark & match.mark) !== 0;
    case 'hairpin':
      if (match.endpoints === 'on-this-node' && walk.endpoint?.isLocal !== true) return false;
      return walk.endpoint?.ip === packet.source;
    case 'connection':
      return match.state === 'new';
    case 'unsolicited':
      // What was sent to an endpoint is translated.
      return walk.endpoint === undefined;
  }
}

/** Whether the packet is a pod's, by the way in which pods are distinguished from others. */
export function isFromPod(
  packet: Packet,
  podSource: Extract<Match, { kind: 'from-pod' }>['podSource'],
): boolean {
  switch (podSource.kind) {
    case 'cidr':
      return cidrContains(podSource.cidr, packet.source);
    case 'interface':
      return packet.interface === podSource.name;
    case 'interface-prefix':
      return packet.interface.startsWith(podSource.prefix);
  }
}

function isStopped({ verdict }: Walk): boolean {
  return verdict === 'rejected' || verdict === 'dropped';
}

function outcomeOf({ verdict, endpoint, isMasqueraded, share, why }: Walk): Outcome {
  const end = verdict === 'rejected' || verdict === 'dropped' ? verdict : undefined;
  const passed = endpoint === undefined ? 'untouched' : 'forwarded';
  return { verdict: end ?? passed, endpoint, isMasqueraded, share, why };
}
