// A packet on its way through chains of rules, whatever language they are written in: jumps, returns,
// and the order of netfilter's hooks. What one rule does is the language's to say. Pure.
import type { Ip } from '../../model/ip.ts';
import type { Packet } from '../trace.ts';
import type { Fraction } from './fraction.ts';
import { plus, times, toNumber, whole } from './fraction.ts';
import type { TracedOutcome } from './outcome.ts';

/** The packet as it is at one place, and the part of all its connections that come there. */
export type Walk = Omit<TracedOutcome, 'verdict' | 'share'> & {
  readonly packet: Packet;
  readonly destination: Ip;
  readonly port: number;
  readonly mark: number;
  readonly share: Fraction;
};

/** How a walk leaves the chains of a hook. */
export type End = 'accepted' | 'dropped' | 'rejected' | 'unknown';

/** Where a walk goes when a rule is done with it. */
export type Then =
  | { readonly kind: 'next' }
  | { readonly kind: 'return' }
  | { readonly kind: 'end'; readonly end: End }
  | { readonly kind: 'jump' | 'goto'; readonly chain: string };

export type Step = { readonly walk: Walk; readonly then: Then };

/** A walk that has left a chain; `end` is undefined where no rule stopped it. */
export type Ended = { readonly walk: Walk; readonly end: End | undefined };

/** Chains of rules, and what one of them does. */
export type Language<R> = {
  /** The rules that may concern this walk, in their order; undefined where there is no such chain. */
  readonly rulesOf: (chain: string, walk: Walk) => readonly R[] | undefined;
  /** The ways that a walk may go on from a rule. */
  readonly step: (rule: R, walk: Walk) => readonly Step[];
};

/** Hears of a rule that a walk came to, and of the ways on from there. */
export type OnRule<R> = (rule: R, walk: Walk, ways: readonly Step[]) => void;

/** The same step, given to `onRule`. */
export function heardBy<R>(
  onRule: OnRule<R> | undefined,
  step: Language<R>['step'],
): Language<R>['step'] {
  if (onRule === undefined) return step;
  return (rule, walk) => {
    const ways = step(rule, walk);
    onRule(rule, walk, ways);
    return ways;
  };
}

/** Where netfilter calls chains. */
export type NetfilterHook = 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting';

// No kernel holds rules that need more, nor has a Service so many endpoints (some 40,000); a file that
// somebody made may.
const maxDepth = 100;
const maxSteps = 1_000_000;
const stepsForWay = 10;

/** How many rules one packet may still meet; each way more that it may go counts as some. */
export type Budget = { steps: number };

/** What one packet is allowed. */
export function newBudget(): Budget {
  return { steps: maxSteps };
}

/** Sends a walk through a chain and all that it leads to. */
export function runChain<R>(
  { language, budget }: { readonly language: Language<R>; readonly budget: Budget },
  name: string,
  start: Walk,
): readonly Ended[] {
  const enter = (chain: string, entered: Walk, depth: number): readonly Ended[] => {
    const rules = language.rulesOf(chain, entered);
    if (rules === undefined) return [unknown(entered, `there is no chain ${chain}`)];
    if (budget.steps < 0) return [unknown(entered, tooMany)];
    if (depth > maxDepth) return [unknown(entered, `chain ${chain} is nested too deep`)];
    const ended: Ended[] = [];
    let live: readonly Walk[] = [entered];
    for (const rule of rules) {
      budget.steps -= live.length;
      if (budget.steps < 0) live = giveUp(live, ended);
      const going = live.flatMap((walk) => {
        const ways = language.step(rule, walk);
        budget.steps -= stepsForWay * (ways.length - 1);
        return ways.flatMap((way) => follow(way, walk, ended, depth));
      });
      live = going.length > 1 ? joined(going) : going;
      if (live.length === 0) return ended;
    }
    for (const walk of live) ended.push({ walk, end: undefined });
    return ended;
  };
  /** The walks that go on with the next rule; others are added to `ended`. */
  const follow = (
    { walk, then }: Step,
    before: Walk,
    ended: Ended[],
    depth: number,
  ): readonly Walk[] => {
    switch (then.kind) {
      case 'next':
        return [walk];
      case 'return':
        ended.push({ walk, end: undefined });
        return [];
      case 'end':
        ended.push({ walk, end: then.end });
        return [];
      case 'goto':
        for (const end of enter(then.chain, walk, depth + 1)) ended.push(end);
        return [];
      case 'jump': {
        const [returned, stopped] = partition(enter(then.chain, walk, depth + 1));
        for (const end of stopped) ended.push(end);
        return returned.map((back) => forgetting(back.walk, before));
      }
    }
  };
  return enter(name, start, 0);
}

/** A walk that nobody can follow any further, and why. */
export function unknown(walk: Walk, why: string): Ended {
  return { walk: because(walk, why), end: 'unknown' };
}

/** The walk with one more reason; what a rule does in two statements it does for one. */
export function because(walk: Walk, why: string): Walk {
  return walk.why.at(-1) === why ? walk : { ...walk, why: [...walk.why, why] };
}

/** The part of a walk's connections that go this way. */
export function part(walk: Walk, share: Fraction): Walk {
  return { ...walk, share: times(walk.share, share) };
}

/** Whether an address is one of the host's own; loopback is without being named. */
export function isLocalAddress(ip: Ip, hostIps: readonly Ip[]): boolean {
  return hostIps.includes(ip) || ip === '::1' || ip.startsWith('127.');
}

/** All ends of a packet's way, from hook to hook. */
export function traceHooks(
  { packet, hostIps }: { readonly packet: Packet; readonly hostIps: readonly Ip[] },
  runHook: (hook: NetfilterHook, walk: Walk) => readonly Ended[],
): readonly TracedOutcome[] {
  const start: Walk = {
    packet,
    destination: packet.destination,
    port: packet.port,
    mark: 0,
    endpoint: undefined,
    isMasqueraded: false,
    share: whole,
    why: [],
  };
  const run = (ended: readonly Ended[], hook: NetfilterHook): readonly Ended[] =>
    ended.flatMap((one) => (isStopped(one) ? [one] : runHook(hook, one.walk)));
  const first = packet.origin === 'node' ? 'output' : 'prerouting';
  return run([{ walk: start, end: undefined }], first)
    .flatMap((one) => hooksAfterRouting(one.walk, hostIps).reduce(run, [one]))
    .map(outcomeOf);
}

// What is meant for this node comes in, all else leaves it; what it sends to itself does both.
function hooksAfterRouting(
  { packet, destination }: Walk,
  hostIps: readonly Ip[],
): readonly NetfilterHook[] {
  const isForNode = isLocalAddress(destination, hostIps);
  if (packet.origin === 'node') return isForNode ? ['postrouting', 'input'] : ['postrouting'];
  return isForNode ? ['input'] : ['forward', 'postrouting'];
}

function isStopped({ end }: Ended): boolean {
  return end !== undefined && end !== 'accepted';
}

function outcomeOf({ walk, end }: Ended): TracedOutcome {
  const { endpoint, isMasqueraded, share, why } = walk;
  const passed = endpoint === undefined ? 'untouched' : 'forwarded';
  const verdict = end === undefined || end === 'accepted' ? passed : end;
  return { verdict, endpoint, isMasqueraded, share: toNumber(share), why };
}

// A chain that was passed without effect is no reason for anything.
function forgetting(after: Walk, before: Walk): Walk {
  const isSame = after.mark === before.mark && after.isMasqueraded === before.isMasqueraded;
  return isSame ? { ...after, why: before.why } : after;
}

/** Ways that are the same from here on, as one: what led there does not matter any more. */
function joined(walks: readonly Walk[]): readonly Walk[] {
  const byState = new Map<string, Walk>();
  for (const walk of walks) {
    const { destination, port, mark, endpoint, isMasqueraded } = walk;
    const state = [destination, port, mark, endpoint?.ip, endpoint?.port, isMasqueraded].join(' ');
    const same = byState.get(state);
    byState.set(state, same ? { ...same, share: plus(same.share, walk.share) } : walk);
  }
  return [...byState.values()];
}

const tooMany = 'the rules lead too many ways';

function giveUp(live: readonly Walk[], ended: Ended[]): readonly Walk[] {
  for (const walk of live) ended.push(unknown(walk, tooMany));
  return [];
}

function partition(ended: readonly Ended[]): readonly [readonly Ended[], readonly Ended[]] {
  return [
    ended.filter(({ end }) => end === undefined),
    ended.filter(({ end }) => end !== undefined),
  ];
}
