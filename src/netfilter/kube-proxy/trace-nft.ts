// What becomes of a packet under the table that kube-proxy left in nftables. Pure.
import type { Ip } from '../../model/ip.ts';
import { familyOf } from '../../model/ip.ts';
import type { Packet } from '../trace.ts';
import type { Fraction } from './fraction.ts';
import { oneIn, without } from './fraction.ts';
import type { Field } from './nftables/fields.ts';
import { markWith, valueOf } from './nftables/fields.ts';
import type { Entry, Lookup } from './nftables/lookup.ts';
import { find } from './nftables/lookup.ts';
import type { NftDestination, NftStatement, NftVerdict } from './nftables/statement.ts';
import type { TracedOutcome } from './outcome.ts';
import type { NftRule, NftTable } from './read-nft.ts';
import type { Ended, Language, OnRule, Step, Walk } from './walk.ts';
import { because, heardBy, isLocalAddress, newBudget, part, runChain, traceHooks } from './walk.ts';

/** One family's table on a host. */
export type NftHost = {
  readonly table: NftTable;
  /** All addresses on the host's interfaces; loopback counts as local without being named. */
  readonly hostIps: readonly Ip[];
  /** Hears of every rule that a walk comes to, and of the ways on from there. */
  readonly onRule?: OnRule<NftRule>;
};

/** All ends that the first connection of a client may come to; their shares add up to 1. */
export function traceNft(
  { table, hostIps, onRule }: NftHost,
  packet: Packet,
): readonly TracedOutcome[] {
  const language: Language<NftRule> = {
    rulesOf: (chain) => table.chains.get(chain),
    step: heardBy(onRule, (rule, walk) => step(rule, walk, hostIps)),
  };
  const run = { language, budget: newBudget() };
  const isOfFamily = familyOf(packet.destination) === table.family;
  return traceHooks({ packet, hostIps }, (hook, walk) => {
    let ended: readonly Ended[] = [{ walk, end: undefined }];
    for (const { name, policy } of table.baseChains.filter((chain) => chain.hook === hook)) {
      if (!isOfFamily) continue;
      ended = ended.flatMap((one) => {
        if (one.end !== undefined && one.end !== 'accepted') return [one];
        const passed = runChain(run, name, one.walk);
        return policy === 'accept' ? passed : passed.map(dropped);
      });
    }
    return ended;
  });
}

function dropped({ walk, end }: Ended): Ended {
  return { walk, end: end ?? 'dropped' };
}

function step(rule: NftRule, start: Walk, hostIps: readonly Ip[]): readonly Step[] {
  const steps: Step[] = [];
  let walk = start;
  for (const statement of rule.statements) {
    const way = follow(statement, { walk, comment: rule.comment, hostIps });
    if ('then' in way) return [...steps, ...nonEmpty(way.then)];
    walk = way.walk;
    if (way.others !== undefined) steps.push(...nonEmpty([next(part(way.before, way.others))]));
  }
  return [...steps, ...nonEmpty([next(walk)])];
}

type At = { readonly walk: Walk; readonly comment: string; readonly hostIps: readonly Ip[] };

/** On to the next statement (without the share of `before` that goes to the next rule), or where to. */
type Way =
  | { readonly walk: Walk; readonly before: Walk; readonly others?: Fraction }
  | { readonly then: readonly Step[] };

function follow(statement: NftStatement, { walk, comment, hostIps }: At): Way {
  const on = { walk, before: walk };
  const when = (holds: boolean): Way => (holds ? on : { then: [next(walk)] });
  const say = (text: string): Walk => because(walk, comment === '' ? text : comment);
  switch (statement.kind) {
    case 'match':
      return followMatch(statement, walk);
    case 'random':
      return { walk: part(walk, statement.share), before: walk, others: without(statement.share) };
    case 'state':
      // The first packet of a connection is looked at.
      return when(statement.states.includes('new') === statement.is);
    case 'translated':
      return when(walk.endpoint !== undefined);
    case 'local': {
      const ip = statement.end === 'source' ? walk.packet.source : walk.destination;
      return when(isLocalAddress(ip, hostIps) === statement.is);
    }
    case 'mark': {
      const mark = markWith(walk.mark, statement);
      return { walk: { ...say('meta mark set'), mark }, before: walk };
    }
    case 'verdict-map':
      return {
        then: lookUp(statement, walk, ({ value, comment: said }, at, key) =>
          obey(value, because(at, said || comment || `${key} : ${verdictText(value)}`)),
        ),
      };
    case 'dnat-map':
      return {
        then: lookUp(statement, walk, ({ value }, at) => send(at, value, comment)),
      };
    case 'dnat':
      return { then: [send(walk, statement.to, comment)] };
    case 'verdict':
      return { then: [obey(statement.verdict, say(verdictText(statement.verdict)))] };
    case 'masquerade': {
      const masqueraded = { ...say('masquerade'), isMasqueraded: true };
      return { then: [{ walk: masqueraded, then: { kind: 'end', end: 'accepted' } }] };
    }
    case 'pass':
      return on;
    case 'unknown':
      return { then: [notUnderstood(walk, statement.text)] };
  }
}

function followMatch(
  { fields, lookup, is }: Extract<NftStatement, { kind: 'match' }>,
  walk: Walk,
): Way {
  const [key] = keysOf(fields, walk);
  if (key === undefined) return { then: [next(walk)] };
  const found = find(lookup, key);
  if (found === 'unknown') return { then: [notUnderstood(walk, lookup.unread.join(' '))] };
  return (found !== 'none') === is ? { walk, before: walk } : { then: [next(walk)] };
}

/** A step for every slot; where a key is not found, the rule is over. */
function lookUp<V>(
  { fields, lookup }: { readonly fields: readonly Field[]; readonly lookup: Lookup<V> },
  walk: Walk,
  take: (entry: Entry<V>, walk: Walk, key: string) => Step,
): readonly Step[] {
  const keys = keysOf(fields, walk);
  if (keys.length === 0) return [next(walk)];
  const share = oneIn(keys.length);
  return keys.map((key) => {
    const at = keys.length === 1 ? walk : part(walk, share);
    const found = find(lookup, key);
    if (found === 'unknown') return notUnderstood(at, lookup.unread.join(' '));
    return found === 'none' ? next(at) : take(found, at, key.join(' . '));
  });
}

/** The key of a packet: one, or one for each slot; none where the packet has no such field. */
export function keysOf(fields: readonly Field[], walk: Walk): readonly (readonly string[])[] {
  const values = fields.map((field) => (field.kind === 'slot' ? '' : valueOf(field, walk)));
  const known = values.flatMap((value) => value ?? []);
  if (known.length !== fields.length) return [];
  const at = fields.findIndex(({ kind }) => kind === 'slot');
  const slot = fields[at];
  if (slot?.kind !== 'slot') return [known];
  return Array.from({ length: slot.mod }, (_, number) =>
    known.with(at, String(number + slot.offset)),
  );
}

const ends = { accept: 'accepted', drop: 'dropped', reject: 'rejected' } as const;

function obey(verdict: NftVerdict, walk: Walk): Step {
  switch (verdict.kind) {
    case 'jump':
    case 'goto':
      return { walk, then: verdict };
    case 'return':
      return { walk, then: { kind: 'return' } };
    case 'continue':
      return next(walk);
    case 'accept':
    case 'drop':
    case 'reject':
      return { walk, then: { kind: 'end', end: ends[verdict.kind] } };
  }
}

function send(walk: Walk, { ip, port = walk.port }: NftDestination, comment: string): Step {
  const why = comment === '' ? `dnat to ${ip} . ${port}` : comment;
  const sent = { ...because(walk, why), endpoint: { ip, port }, destination: ip, port };
  return { walk: sent, then: { kind: 'end', end: 'accepted' } };
}

function next(walk: Walk): Step {
  return { walk, then: { kind: 'next' } };
}

function notUnderstood(walk: Walk, text: string): Step {
  return { walk: because(walk, text), then: { kind: 'end', end: 'unknown' } };
}

function nonEmpty(steps: readonly Step[]): readonly Step[] {
  return steps.filter(({ walk }) => walk.share.numerator !== 0n);
}

function verdictText(verdict: NftVerdict): string {
  return 'chain' in verdict ? `${verdict.kind} ${verdict.chain}` : verdict.kind;
}
