// What iptables-save (or ip6tables-save) printed, as the chains that kube-proxy made, with the jumps
// to them. Rules of others are passed over. A text that is cut off or none of that tool's is refused.
import type { Ip } from '../../model/ip.ts';
import type { IptablesRule } from './iptables/rule.ts';
import { parseIptablesRule } from './iptables/parse-rule.ts';
import { namedAddress } from './iptables/rule.ts';
import { isKubernetesChain } from './iptables/targets.ts';
import { RulesetError } from './outcome.ts';

/** A chain, and where in it the rules for one destination or one port are. */
export type IptablesChain = {
  readonly rules: readonly IptablesRule[];
  /** The rules that any packet may fit, then those that name one address, then one port. */
  readonly general: readonly number[];
  readonly byDestination: ReadonlyMap<Ip, readonly number[]>;
  readonly byPort: ReadonlyMap<string, readonly number[]>;
};

/** The tables in which kube-proxy has rules that change a packet's way. */
export type IptablesTable = 'filter' | 'nat';

/** Chains by name. A built-in chain holds its jumps to kube-proxy's chains and nothing else. */
export type IptablesRules = Readonly<Record<IptablesTable, ReadonlyMap<string, IptablesChain>>>;

/** The key under which a chain keeps the rules for a port. */
export function portKey(protocol: string, port: number): string {
  return `${protocol} ${port}`;
}

/** Reads one family's rules; throws RulesetError with the line where the text cannot be one. */
export function readIptables(saved: string): IptablesRules {
  const tables = new Map<string, Table>();
  let open: Table | undefined;
  let number = 0;
  for (const line of saved.split('\n')) {
    number += 1;
    const text = line.trim();
    if (text === '' || text.startsWith('#')) continue;
    if (text.startsWith('*')) {
      open = openTable(text.slice(1), { tables, open, number });
      continue;
    }
    if (open === undefined) fail(number, `"${excerpt(text)}" stands outside of any table`);
    if (text === 'COMMIT') open = undefined;
    else readLine(open, text, number);
  }
  if (open !== undefined) fail(number, `table ${open.name} is cut off: it has no COMMIT`);
  for (const table of tables.values()) checkJumps(table);
  return { filter: chainsOf(tables.get('filter')), nat: chainsOf(tables.get('nat')) };
}

type NumberedRule = { readonly rule: IptablesRule; readonly number: number };
type Table = { readonly name: string; readonly chains: Map<string, NumberedRule[]> };

function openTable(
  name: string,
  { tables, open, number }: { tables: Map<string, Table>; open: Table | undefined; number: number },
): Table {
  if (open !== undefined) fail(number, `table ${open.name} is not ended by COMMIT`);
  if (!/^[a-z]+$/.test(name)) fail(number, `"*${excerpt(name)}" is no table`);
  if (tables.has(name)) fail(number, `table ${name} comes twice; is this of two families?`);
  const table = { name, chains: new Map<string, NumberedRule[]>() };
  tables.set(name, table);
  return table;
}

function readLine({ name, chains }: Table, text: string, number: number): void {
  const [, declared] = /^:(\S+) \S+(?: \[\d+:\d+\])?$/.exec(text) ?? [];
  if (declared !== undefined) {
    if (chains.has(declared)) fail(number, `chain ${declared} comes twice in table ${name}`);
    chains.set(declared, []);
    return;
  }
  const [, chain = '', rest = ''] = /^(?:\[\d+:\d+\] )?-A (\S+)(?: (.*))?$/.exec(text) ?? [];
  if (chain === '') fail(number, `"${excerpt(text)}" is neither a chain nor a rule`);
  const rules = chains.get(chain);
  if (rules === undefined) fail(number, `chain ${chain} is not declared in table ${name}`);
  const isTheirs = isKubernetesChain(chain);
  if (!isTheirs && !rest.includes(' KUBE-')) {
    return;
  }
  const rule = parseIptablesRule(wordsOf(rest, number), rest);
  if (isTheirs || isJump(rule)) rules.push({ rule, number });
}

function isJump({ target }: IptablesRule): boolean {
  return target.kind === 'jump' || target.kind === 'goto';
}

/** The words of a rule, by spaces; in double quotes, spaces are kept and a backslash is before a quote or another. */
export function wordsOf(text: string, number: number): readonly string[] {
  const words: string[] = [];
  const pattern = /\s*(?:"((?:[^"\\]|\\.)*)"(?=\s|$)|([^\s"]+)(?=\s|$))/y;
  while (pattern.lastIndex < text.length) {
    const found = pattern.exec(text);
    if (found === null) fail(number, 'a quote is not closed');
    words.push(found[2] ?? (found[1] ?? '').replaceAll(/\\(.)/g, '$1'));
  }
  return words;
}

function checkJumps({ name, chains }: Table): void {
  for (const { rule, number } of [...chains.values()].flat()) {
    const { target } = rule;
    if ((target.kind === 'jump' || target.kind === 'goto') && !chains.has(target.chain)) {
      fail(number, `chain ${target.chain} is not declared in table ${name}`);
    }
  }
}

function chainsOf(table: Table | undefined): ReadonlyMap<string, IptablesChain> {
  const chains = [...(table?.chains ?? [])].filter(
    ([name, rules]) => isKubernetesChain(name) || rules.length > 0,
  );
  return new Map(
    chains.map(([name, rules]) => [name, indexed(rules.map(({ rule }) => rule))] as const),
  );
}

function indexed(rules: readonly IptablesRule[]): IptablesChain {
  const general: number[] = [];
  const byDestination = new Map<Ip, number[]>();
  const byPort = new Map<string, number[]>();
  for (const [index, rule] of rules.entries()) {
    const { ip, protocol, port } = namedAddress(rule);
    if (ip !== undefined) add(byDestination, ip, index);
    else if (protocol === undefined || port === undefined) general.push(index);
    else add(byPort, portKey(protocol, port), index);
  }
  return { rules, general, byDestination, byPort };
}

function add<K>(index: Map<K, number[]>, key: K, at: number): void {
  const found = index.get(key);
  if (found === undefined) index.set(key, [at]);
  else found.push(at);
}

const excerptLength = 60;

function excerpt(text: string): string {
  return text.length > excerptLength ? `${text.slice(0, excerptLength)}...` : text;
}

function fail(number: number, message: string): never {
  throw new RulesetError(`line ${number}: ${message}`);
}
