// The input of iptables-restore --noflush that carries out a plan, and what its complaints mean. Pure.
// Must write nothing that the plan does not name: other chains stay as they are.
import { ToolError } from '../../errors.ts';
import type { Family } from '../../model/ip.ts';
import type { Plan } from '../../netfilter/plan.ts';
import type { TableName } from './names.ts';
import { portPrefixOf } from './names.ts';
import type { IptablesUnit } from './unit.ts';
import type { Variant } from './variant.ts';
import { tools } from './variant.ts';

const tables: readonly TableName[] = ['filter', 'nat', 'mangle'];

/** How much one transaction may name. */
type Limits = {
  /** Chains of a plan that is carried out in one transaction. */
  readonly atOnce: number;
  /** Chains, or Services, of each transaction of a larger plan; bounds the memory that the tool needs. */
  readonly chains: number;
  /** Different chains that such a transaction names in no order: made, changed or led to. */
  readonly unsorted: number;
};

/**
 * iptables-nft keeps the names that a transaction mentions in a sorted list, and walks it from the front
 * for every line (cache_chain_list_insert in its nft-cache.c). So chains are filled in falling order, each
 * at the front of that list; what their rules lead to comes in no order, and is kept short. They are made
 * in no order as well, since whoever reads them all, as iptables-save does, sorts them with the first as
 * the pivot (__nft_chain_list_sort): sorted ones take it the longest. Measured with 10,000 Services of 5
 * endpoints (iptables 1.8.9): to make them more than 300 s in one transaction, 6.8 s so; to change every
 * chain 12 s, where at 6,000 one transaction took over a minute; to read 32 s where they were made in
 * falling order, 1.8 s so. Fewer at a time cost more transactions, more longer walks.
 */
export const limits: Readonly<Record<Variant, Limits>> = {
  nf_tables: { atOnce: 1000, chains: 5000, unsorted: 2000 },
  // Reads and writes the whole table each time.
  legacy: { atOnce: Infinity, chains: Infinity, unsorted: Infinity },
};

/** What a plan does in one table. */
type Steps = {
  /** Chains, in the order of the plan. */
  readonly created: readonly IptablesUnit[];
  readonly replaced: readonly IptablesUnit[];
  /** Both of these, in the order of the plan. */
  readonly written: readonly IptablesUnit[];
  readonly deleted: readonly IptablesUnit[];
  /** Rules in chains that are not ours. */
  readonly jumpsGone: readonly IptablesUnit[];
  readonly jumpsNew: readonly IptablesUnit[];
};

/** The input for a plan: for each table that it touches one transaction or more, '' for an empty plan. */
export function encodePlan(
  family: Family,
  plan: Plan<IptablesUnit>,
  variant: Variant = 'nf_tables',
): string {
  if (plan.length === 0) return '';
  const transactions = tables.flatMap((table) => {
    const steps = stepsIn(table, plan);
    const isSmall = steps.written.length + steps.deleted.length <= limits[variant].atOnce;
    const parts = isSmall ? [inOne(steps)] : inMany(steps, limits[variant]);
    return parts
      .filter((lines) => lines.length > 0)
      .map((lines) => [`*${table}`, ...lines, 'COMMIT', ''].join('\n'));
  });
  return `# ${tools[family]}-restore --noflush\n${transactions.join('')}`;
}

function stepsIn(table: TableName, plan: Plan<IptablesUnit>): Steps {
  const chains: Record<'created' | 'replaced' | 'written' | 'deleted', IptablesUnit[]> = {
    created: [],
    replaced: [],
    written: [],
    deleted: [],
  };
  const jumpsGone: IptablesUnit[] = [];
  const jumpsNew: IptablesUnit[] = [];
  const emptied = new Set(
    plan.flatMap((step) =>
      step.op === 'delete' && step.was.kind === 'chain' ? [step.was.id] : [],
    ),
  );
  for (const step of plan) {
    const was = step.op === 'create' ? undefined : step.was;
    const unit = step.op === 'delete' ? undefined : step.unit;
    if ((unit ?? was)?.table !== table) continue;
    if ((unit ?? was)?.kind !== 'chain') {
      // A chain that goes is emptied as a whole.
      if (was !== undefined && !emptied.has(`${table} ${was.chain}`)) jumpsGone.push(was);
      if (unit !== undefined) jumpsNew.push(unit);
    } else if (unit === undefined) {
      if (was !== undefined) chains.deleted.push(was);
    } else {
      chains.written.push(unit);
      chains[was === undefined ? 'created' : 'replaced'].push(unit);
    }
  }
  return { ...chains, jumpsGone, jumpsNew };
}

// Every chain is there and empty before a rule names it; what is deleted is named by none by then.
function inOne({ written, deleted, jumpsGone, jumpsNew }: Steps): string[] {
  return [
    ...declare([...written, ...deleted]),
    ...rulesOf(jumpsGone, '-D'),
    ...rulesOf(written, '-A'),
    // Above what is there, as kube-proxy puts them: a rule that accepts must not hide them. The last goes first, so
    // that they end up in the order of the plan.
    ...rulesOf(jumpsNew, '-A')
      .toReversed()
      .map((rule) => rule.replace(/^-A/, '-I')),
    ...remove(deleted),
  ];
}

// What Services have of their own changes Service by Service, and what leads to them in one transaction after
// that. Those before make chains that nothing leads to yet, the last deal with what nothing leads to any more.
function inMany(steps: Steps, limit: Limits): string[][] {
  const deleted = fallingByName(steps.deleted);
  const byService = Map.groupBy(steps.replaced, ({ chain, owner }) =>
    portPrefixOf(chain) === undefined ? undefined : owner,
  );
  const shared = byService.get(undefined) ?? [];
  byService.delete(undefined);
  return [
    // In the order of the plan: what they are called after their prefix is a digest.
    ...chunks(steps.created, limit, nameOf).map(declare),
    ...chunks(fallingByName(steps.created), limit, targetsOf).map((units) => rulesOf(units, '-A')),
    ...chunks([...byService.values()], limit, namesIn).map((services) => refill(services.flat())),
    inOne({ ...steps, written: shared, deleted: [] }),
    ...chunks(deleted, limit).map(declare),
    ...chunks(deleted, limit).map(remove),
  ];
}

function fallingByName(units: readonly IptablesUnit[]): readonly IptablesUnit[] {
  // By bytes, as strcmp does: names are ASCII.
  return units.toSorted((one, other) => (one.chain < other.chain ? 1 : -1));
}

function nameOf({ chain }: IptablesUnit): readonly string[] {
  return [chain];
}

function targetsOf({ text }: IptablesUnit): readonly string[] {
  return [...text.matchAll(/ -[jg] (\S+)/g)].map(([, target = '']) => target);
}

function namesIn(units: readonly IptablesUnit[]): readonly string[] {
  return units.flatMap((unit) => [unit.chain, ...targetsOf(unit)]);
}

function refill(units: readonly IptablesUnit[]): string[] {
  return [...declare(units), ...rulesOf(units, '-A')];
}

/** Creates chains, and empties those that are there; one that stays must not be there. */
function declare(units: readonly IptablesUnit[]): string[] {
  return units.map(({ chain, stays }) => (stays ? `-N ${chain}` : `:${chain} - [0:0]`));
}

// One that others' rules lead to is left, empty: neither may the kernel delete it, nor we those rules.
function remove(units: readonly IptablesUnit[]): string[] {
  return units.flatMap(({ chain, heldBy }) => (heldBy === undefined ? [`-X ${chain}`] : []));
}

function rulesOf(units: readonly IptablesUnit[], command: '-A' | '-D'): string[] {
  const rules = units.flatMap(({ text }) => (text === '' ? [] : text.split('\n')));
  return rules.map((rule) => command + rule.slice('-A'.length));
}

/** Cuts where a part would have too many items or, where asked for, too many names that come in no order. */
function chunks<T>(
  items: readonly T[],
  limit: Limits,
  unsorted: (item: T) => readonly string[] = () => [],
): T[][] {
  const parts: T[][] = [];
  let part: T[] = [];
  let named = new Set<string>();
  for (const item of items) {
    const names = new Set(unsorted(item));
    const more = [...names].filter((name) => !named.has(name)).length;
    const isFull = part.length === limit.chains || named.size + more > limit.unsorted;
    if (part.length === 0 || isFull) {
      part = [];
      named = new Set();
      parts.push(part);
    }
    part.push(item);
    for (const name of names) named.add(name);
  }
  return parts;
}

// Lines shown before and after the one that failed.
const shownAround = 3;

/**
 * The error of a failed iptables-restore with the line that it complains of and those around it; the
 * error itself where it names none (`line 4 failed`, `Error occurred at line: 4`).
 */
export function locateFailure(error: ToolError): ToolError {
  const number = Number(/\bline:? (\d+)/.exec(error.stderr)?.[1]);
  const lines = error.input.split('\n');
  const failed = lines[number - 1];
  if (failed === undefined) return error;
  const first = Math.max(1, number - shownAround);
  const around = lines
    .slice(first - 1, number + shownAround)
    .map((line, index) => `${first + index === number ? '>' : ' '} ${first + index}: ${line}`);
  const complaint = error.stderr.trim().replaceAll(/\s*\n\s*/g, '; ');
  const message = `${error.command}: line ${number} (${failed}): ${complaint}\n${around.join('\n')}`;
  return new ToolError(message, error, { cause: error });
}
