// What happens to a packet, by the rules alone and without a kernel: every outcome that is possible,
// with its share and the rules that led to it. Pure; this is the meaning that both backends must spell.
import type { Endpoint } from '../model/forwarding.ts';
import { frontendId } from '../model/forwarding.ts';
import type { Ip } from '../model/ip.ts';
import { cidrContains } from '../model/ip.ts';
import type { Protocol } from '../model/kubernetes.ts';
import type {
  DispatchEntry,
  DispatchName,
  Hook,
  Match,
  Part,
  Rule,
  ServiceRules,
} from '../model/ruleset.ts';

/** Everything that the packets of one family may meet. */
export type Ruleset = {
  readonly parts: readonly Part[];
  readonly services: readonly ServiceRules[];
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
  readonly verdict: Exclude<Verdict, 'forwarded' | 'untouched'> | 'accepted' | undefined;
};

/** All ends that the connection of `packet` may come to; their shares add up to 1. */
export function trace(ruleset: Ruleset, packet: Packet): readonly Outcome[] {
  const translation: Hook = packet.origin === 'node' ? 'nat-output' : 'nat-prerouting';
  const filter: Hook = packet.origin === 'node' ? 'filter-output' : 'filter-forward';
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
  const run = (walk: Walk, hook: Hook): readonly Walk[] => runHook(walk, hook, { ruleset, packet });
  return run(start, translation)
    .flatMap((walk) => run(walk, filter))
    .flatMap((walk) => (isStopped(walk) ? [walk] : run(walk, 'nat-postrouting')))
    .map(outcomeOf);
}

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
      return dispatch(walk, rule.then.dispatch, context);
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
    case 'accept':
      return [{ ...walk, why, verdict: 'accepted' }];
    case 'reject':
      return [{ ...walk, why, verdict: 'rejected' }];
    case 'drop':
      return [{ ...walk, why, verdict: 'dropped' }];
  }
}

function dispatch(walk: Walk, name: DispatchName, context: Context): readonly Walk[] {
  const entry = findEntry(walk, name, context);
  if (entry === undefined) return [walk];
  const found = { ...walk, why: [...walk.why, entry.why] };
  if (!('verdict' in entry.to)) return runRules([found], entry.to.rules, context);
  return [{ ...found, verdict: entry.to.verdict === 'reject' ? 'rejected' : 'dropped' }];
}

function findEntry(
  { destination: ip, port }: Walk,
  name: DispatchName,
  { ruleset, packet: { protocol } }: Context,
): DispatchEntry | undefined {
  const id = frontendId({ ip, protocol, port });
  for (const { entries } of ruleset.services) {
    const found = entries.find(
      (entry) => entry.dispatch === name && frontendId(entry.address) === id,
    );
    if (found !== undefined) return found;
  }
  return undefined;
}

function fits(walk: Walk, match: Match, { ruleset, packet }: Context): boolean {
  const { destination: ip, port } = walk;
  switch (match.kind) {
    case 'to-frontend':
      return frontendId(match.address) === frontendId({ ip, protocol: packet.protocol, port });
    case 'from-pod':
      return match.is === isFromPod(packet, match.podSource);
    case 'to-cluster-ip':
      return ruleset.services.some(({ clusterIps }) => clusterIps.includes(ip));
    case 'to-cidr':
      return cidrContains(match.cidr, ip);
    case 'marked':
      return (walk.mark & match.mark) !== 0;
    case 'hairpin':
      return walk.endpoint?.ip === packet.source;
    case 'connection':
      return match.state === 'new';
  }
}

function isFromPod(
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
