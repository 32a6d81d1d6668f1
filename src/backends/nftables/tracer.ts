// The nftables rules that a packet meets: in go the units of our Program, out comes a tracer. Pure.
import { encodeJson } from './encode/encode-json.ts';
import { familyWords, slotMapNamed, tableName } from './schema.ts';
import { transactionOf } from './transaction.ts';
import type { ChainUnit, NftRule as UnitRule, NftUnit } from './unit.ts';
import { ruleText } from './unit.ts';
import type { Family } from '../../model/ip.ts';
import { plan } from '../../netfilter/plan.ts';
import type { Program } from '../../netfilter/program.ts';
import type { NftRule, NftTable } from '../../netfilter/kube-proxy/read-nft.ts';
import { readNft } from '../../netfilter/kube-proxy/read-nft.ts';
import { keysOf, traceNft } from '../../netfilter/kube-proxy/trace-nft.ts';
import type { Step, Walk } from '../../netfilter/kube-proxy/walk.ts';
import type { PlacedRule, RuleTracer, TracedHost } from '../rules-met.ts';
import { Notes } from '../rules-met.ts';

/** A tracer through these rules. */
export function nftTracer(program: Program<NftUnit>, { family, hostIps }: TracedHost): RuleTracer {
  const table = readNft(listingOf(program, family), { family, name: tableName });
  if (table === undefined) throw new Error('our Program has no table');
  const spelled = spelledRules(program, table);
  const word = `${familyWords[family].table} ${tableName}`;
  return (packet) => {
    const notes = new Notes<NftRule>((rule) => placeOf(spelled.get(rule), word));
    const outcomes = traceNft(
      {
        table,
        hostIps,
        onRule(rule, walk, ways) {
          if (!hasEffect(rule, walk, ways) || isRepeated(spelled.get(rule))) return;
          const elements = elementsFound(rule, { walk, spelled, program });
          notes.note(rule, { walk, ways, elements });
        },
      },
      packet,
    );
    return { ...notes.met(), outcomes };
  };
}

type SpelledRule = { readonly chain: ChainUnit; readonly rule: UnitRule };
type Spelled = ReadonlyMap<NftRule, SpelledRule>;

function spelledRules(program: Program<NftUnit>, { chains }: NftTable): Spelled {
  const spelled = new Map<NftRule, SpelledRule>();
  for (const chain of program.values()) {
    if (chain.kind !== 'chain') continue;
    for (const [index, read] of (chains.get(chain.name) ?? []).entries()) {
      const rule = chain.rules[index];
      if (rule !== undefined) spelled.set(read, { chain, rule });
    }
  }
  return spelled;
}

function placeOf(spelled: SpelledRule | undefined, table: string): PlacedRule | undefined {
  if (spelled === undefined) return undefined;
  return { table, chain: spelled.chain.name, text: ruleText(spelled.rule) };
}

// A draw that met no endpoint is made again: the first of them tells it all.
function isRepeated(spelled: SpelledRule | undefined): boolean {
  if (spelled === undefined || drawOf(spelled.rule) === undefined) return false;
  return spelled.chain.rules.find((rule) => drawOf(rule) !== undefined) !== spelled.rule;
}

function drawOf({ expr }: UnitRule): string | undefined {
  const map = containerOf(expr.find((one) => 'dnat' in one));
  return map === undefined || slotMapNamed(map) === undefined ? undefined : map;
}

// A rule that remembers a client changes no packet.
function hasEffect({ statements }: NftRule, walk: Walk, ways: readonly Step[]): boolean {
  if (statements.every(({ kind }) => kind === 'pass')) return true;
  return ways.some((way) => way.then.kind !== 'next' || way.walk.mark !== walk.mark);
}

/** The elements that a rule finds in named sets and maps, where each is one for the key alone. */
function elementsFound(
  rule: NftRule,
  at: { readonly walk: Walk; readonly spelled: Spelled; readonly program: Program<NftUnit> },
): readonly string[] {
  const { expr = [] } = at.spelled.get(rule)?.rule ?? {};
  return rule.statements.flatMap((statement, index) => {
    const container = containerOf(expr[index]);
    if (container === undefined || !('fields' in statement)) return [];
    return keysOf(statement.fields, at.walk).flatMap(
      (key) => at.program.get(`${container} ${key.join(' . ')}`)?.text ?? [],
    );
  });
}

/** The name of the set or map that a statement looks in. */
function containerOf(statement: UnitRule['expr'][number] | undefined): string | undefined {
  if (statement === undefined) return undefined;
  if ('vmap' in statement) return nameIn(statement.vmap.data);
  if ('match' in statement) return nameIn(statement.match.right);
  if (!('dnat' in statement) || typeof statement.dnat.addr !== 'object') return undefined;
  return 'map' in statement.dnat.addr ? nameIn(statement.dnat.addr.map.data) : undefined;
}

function nameIn(data: unknown): string | undefined {
  return typeof data === 'string' && data.startsWith('@') ? data.slice(1) : undefined;
}

type Item = Readonly<Record<string, { readonly name: string; elem?: unknown[] }>>;

/** What `nft -j list` prints of these units: what makes them is nearly that, elements stand apart. */
function listingOf(program: Program<NftUnit>, family: Family): string {
  const input = encodeJson(family, transactionOf(plan(new Map(), program)));
  const { nftables: commands } = JSON.parse(input) as { nftables: { add: Item }[] };
  const containers = new Map<string, unknown[]>();
  const items = commands.flatMap(({ add }) => {
    const container = add['set'] ?? add['map'];
    if (container !== undefined) {
      container.elem = [];
      containers.set(container.name, container.elem);
    }
    const { element } = add;
    if (element === undefined) return [add];
    for (const one of element.elem ?? []) containers.get(element.name)?.push(one);
    return [];
  });
  return JSON.stringify({ nftables: items });
}
