// What the nft tool is to Sluice, over tables in memory: transactions and listings as libnftables JSON, whole or
// not at all. It keeps rules and elements as they are spelled, and knows nothing of what they mean.

/** What a tool answers. */
export type Answer = {
  readonly stdout?: string;
  readonly stderr?: string;
  readonly exitCode?: number;
};

type Named = { readonly family: string; readonly table: string; readonly name: string };
type Container = Named & { readonly elem?: readonly unknown[] };
type Rule = Omit<Named, 'name'> & { readonly chain: string };
type Item = {
  readonly table?: Named;
  readonly set?: Container;
  readonly map?: Container;
  readonly chain?: Named;
  readonly rule?: Rule;
  readonly element?: Named & { readonly elem: readonly unknown[] };
};
type Command = { readonly [op in 'add' | 'delete' | 'flush']?: Item };

type Table = {
  /** As nft prints it in its own language, where a test wrote it down so. */
  readonly text: string;
  readonly chains: Map<string, { readonly chain: Named; rules: Rule[] }>;
  readonly containers: Map<
    string,
    { readonly kind: 'set' | 'map'; readonly declared: Container; elem: unknown[] }
  >;
};

class Refusal extends Error {}
const absent = 'Error: No such file or directory';
const failed = (stderr: string): Answer => ({ stderr: `${stderr}\n`, exitCode: 1 });

/** The tables of all families. */
export class NftInMemory {
  /** By `ip sluice`, as nft names them. */
  #tables = new Map<string, Table>();

  /** What `nft ARGS` answers to this input. */
  run(args: readonly string[], input: string): Answer {
    const line = args.join(' ');
    if (line === '--version') return { stdout: 'nftables v1.1.3 (Commodore Bullmoose #4)\n' };
    if (line.endsWith('--check -f -')) return {};
    try {
      if (line === '-j -f -') return this.#transact(input);
      if (line === '-f -') return this.#replaceText(input);
      return this.#list(line) ?? failed(`Error: not in memory: nft ${line}`);
    } catch (error) {
      if (error instanceof Refusal) return failed(error.message);
      throw error;
    }
  }

  /** Another program's table, as nft lists it in JSON and in its own language. */
  put(name: string, listing: string, text: string): void {
    const { nftables } = JSON.parse(listing) as { nftables: readonly Item[] };
    const table = emptyTable(text);
    for (const item of nftables) add(new Map([[name, table]]), item);
    this.#tables.set(name, table);
  }

  /** What is in a table, for a test to look at or change; undefined where there is none. */
  table(name: string): Table | undefined {
    return this.#tables.get(name);
  }

  #transact(input: string): Answer {
    const next = structuredClone(this.#tables);
    const { nftables } = JSON.parse(input) as { nftables: readonly Command[] };
    for (const command of nftables) carryOut(next, command);
    this.#tables = next;
    return {};
  }

  // Of nft's own language just this: a table goes, and another one, as its listing has it, takes its place.
  #replaceText(input: string): Answer {
    const [, name, text = ''] = /^(?:add table .*\n)?delete table (.*)\n([^]*)$/.exec(input) ?? [];
    if (name === undefined) throw new Refusal(`Error: not in memory: ${input}`);
    if (text === '') this.#tables.delete(name);
    else this.#tables.set(name, emptyTable(text));
    return {};
  }

  #list(line: string): Answer | undefined {
    const names = [...this.#tables.keys()];
    if (line === 'list tables') return { stdout: names.map((name) => `table ${name}\n`).join('') };
    if (line === '-j list tables') {
      const tables = names.map((name) => ({ table: tableNamed(name) }));
      return { stdout: JSON.stringify({ nftables: tables }) };
    }
    const [, form, name = ''] = /^(-j|-y) list table (.*)$/.exec(line) ?? [];
    if (form === undefined) return undefined;
    const table = this.#tables.get(name);
    if (table === undefined) return failed(absent);
    return { stdout: form === '-y' ? table.text : listing(name, table) };
  }
}

function emptyTable(text = ''): Table {
  return { text, chains: new Map(), containers: new Map() };
}

function tableNamed(name: string): object {
  const [family, table] = name.split(' ');
  return { family, name: table };
}

function listing(name: string, { chains, containers }: Table): string {
  const nftables = [
    { table: tableNamed(name) },
    ...[...containers.values()].map(({ kind, declared, elem }) => ({
      [kind]: { ...declared, elem },
    })),
    ...[...chains.values()].map(({ chain }) => ({ chain })),
    ...[...chains.values()].flatMap(({ rules }) => rules.map((rule) => ({ rule }))),
  ];
  return JSON.stringify({ nftables });
}

function carryOut(tables: Map<string, Table>, command: Command): void {
  const { add: added, delete: deleted, flush } = command;
  if (added !== undefined) add(tables, added);
  if (flush?.chain !== undefined) chainOf(tables, flush.chain).rules = [];
  if (deleted !== undefined) remove(tables, deleted);
}

function add(tables: Map<string, Table>, item: Item): void {
  const { table, set, map, chain, rule, element } = item;
  const declared = set ?? map;
  if (table !== undefined) {
    const name = `${table.family} ${table.name}`;
    tables.set(name, tables.get(name) ?? emptyTable());
  } else if (declared !== undefined) {
    const { elem = [], ...container } = declared;
    const kind = set === undefined ? 'map' : 'set';
    const { containers } = tableOf(tables, declared);
    containers.set(declared.name, { kind, declared: container, elem: [...elem] });
  } else if (chain !== undefined) {
    tableOf(tables, chain).chains.set(chain.name, { chain, rules: [] });
  } else if (rule !== undefined) {
    chainOf(tables, { ...rule, name: rule.chain }).rules.push(rule);
  } else if (element !== undefined) {
    containerOf(tables, element).elem.push(...element.elem);
  }
}

function remove(tables: Map<string, Table>, item: Item): void {
  const { table, set, map, chain, element } = item;
  const container = set ?? map;
  if (table !== undefined) {
    if (!tables.delete(`${table.family} ${table.name}`)) throw new Refusal(absent);
  } else if (container !== undefined) {
    containerOf(tables, container);
    tableOf(tables, container).containers.delete(container.name);
  } else if (chain !== undefined) {
    chainOf(tables, chain);
    tableOf(tables, chain).chains.delete(chain.name);
  } else if (element !== undefined) {
    const held = containerOf(tables, element);
    const keys = new Set(element.elem.map((key) => JSON.stringify(key)));
    const left = held.elem.filter((one) => !keys.has(JSON.stringify(keyOf(one, held.kind))));
    if (held.elem.length - left.length !== keys.size) throw new Refusal(absent);
    held.elem = left;
  }
}

// `[key, value]` in a map; `{ elem: { val, comment } }` where there is a comment.
function keyOf(element: unknown, kind: 'set' | 'map'): unknown {
  const key = kind === 'map' ? (element as readonly unknown[])[0] : element;
  return (key as { elem?: { val: unknown } }).elem?.val ?? key;
}

function tableOf(tables: Map<string, Table>, { family, table }: Omit<Named, 'name'>): Table {
  return there(tables.get(`${family} ${table}`));
}

function chainOf(tables: Map<string, Table>, named: Named) {
  return there(tableOf(tables, named).chains.get(named.name));
}

function containerOf(tables: Map<string, Table>, named: Named) {
  return there(tableOf(tables, named).containers.get(named.name));
}

function there<T>(found: T | undefined): T {
  if (found === undefined) throw new Refusal(absent);
  return found;
}
