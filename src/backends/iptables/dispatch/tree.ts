// Chains that find the one rule for a destination: in go rules with their addresses, out come chains
// that branch by prefix, so that neither a packet nor a change meets a list of all Services. Pure
// data; must not know what a rule does.
import type { FrontendAddress } from '../../../model/forwarding.ts';
import type { BranchPrefix } from '../names.ts';
import { branchChainName } from '../names.ts';
import type { RuleParts } from '../rule-text.ts';
import { ruleText } from '../rule-text.ts';

/** What exactly those packets match that are for a frontend whose digits begin with this prefix. */
export type PrefixMatch = (prefix: string) => RuleParts;

/** The chains of a tree: that which packets enter, and what the names of the others begin with. */
export type TreeChains = { readonly root: string; readonly branches: BranchPrefix };

/**
 * One entry. Two of one address, protocol and port stand beside each other: it is for others to see to
 * it that they agree (two Services with one health check port, which manifests may have).
 */
export type DispatchRule = {
  readonly address: FrontendAddress;
  /** What it is found by; the same length for all of a tree, 16 at most behind a prefix. */
  readonly digits: string;
  /** The rule without its `-A CHAIN`. */
  readonly text: string;
};

/** A rule in its place; `key` sorts as digits, protocol, port, text. */
type Placed = Pick<DispatchRule, 'digits' | 'text'> & { readonly key: string };

/** A chain: all entries whose digits begin with `prefix`. */
type Node = { readonly prefix: string; content: Leaf | Branch };
type Leaf = { readonly kind: 'leaf'; readonly rules: Map<string, Placed> };
/** `common` is all that the digits below share; `children` stand under its next digit. */
type Branch = {
  readonly kind: 'branch';
  readonly common: string;
  readonly children: Map<string, Node>;
};

// Also what a branch can have: one for each value of a digit.
const maxRules = 16;

/**
 * Invariant: a node is a leaf exactly where it has at most 16 rules or all have the same digits; otherwise
 * `common` is as long as its digits allow and no child is empty. So the chains follow from the set
 * of entries, whatever the order in which they came and went.
 */
export class DispatchTree {
  readonly #matchOf: PrefixMatch;
  readonly #names: TreeChains;
  readonly #root: Node = emptyNode('');
  readonly #nodes = new Map<string, Node>();

  constructor(matchOf: PrefixMatch, chains: TreeChains) {
    this.#matchOf = matchOf;
    this.#names = chains;
    this.#nodes.set(chains.root, this.#root);
  }

  /** Adds an entry; returns the chains it touched. */
  insert(rule: DispatchRule): ReadonlySet<string> {
    const touched = new Set<string>();
    this.#insert(this.#root, placed(rule), touched);
    return touched;
  }

  /** Takes an entry away; returns the chains it touched. */
  remove(rule: DispatchRule): ReadonlySet<string> {
    const touched = new Set<string>();
    this.#remove(this.#root, placed(rule), touched);
    return touched;
  }

  /** The rules of a chain in order, or undefined where the tree has no such chain. */
  rules(chain: string): readonly string[] | undefined {
    const content = this.#nodes.get(chain)?.content;
    switch (content?.kind) {
      case undefined:
        return undefined;
      case 'leaf':
        return sortedByKey(content.rules).map(([, { text }]) => text);
      case 'branch':
        return sortedByKey(content.children).map(([, child]) =>
          ruleText({ ...this.#matchOf(child.prefix), jump: this.#chainOf(child) }),
        );
    }
  }

  /** All chains, the root first, then by prefix. */
  *chains(): Generator<string> {
    for (const node of nodesUnder(this.#root)) yield this.#chainOf(node);
  }

  #chainOf({ prefix }: Node): string {
    const { root, branches } = this.#names;
    return prefix === '' ? root : branchChainName(branches, prefix);
  }

  #insert(node: Node, rule: Placed, touched: Set<string>): void {
    const { content } = node;
    if (content.kind === 'leaf') {
      content.rules.set(rule.key, rule);
      this.#settle(node, touched);
      return;
    }
    if (!rule.digits.startsWith(content.common)) {
      this.#widen(node, rule, touched);
      return;
    }
    const child = content.children.get(digitAfter(content.common, rule.digits));
    if (child !== undefined) this.#insert(child, rule, touched);
    else this.#branchTo(node, [rule], touched);
  }

  /** Puts the branch one level deeper, beside an address that does not share its prefix. */
  #widen(node: Node, rule: Placed, touched: Set<string>): void {
    const inner = node.content as Branch;
    const common = sharedPrefix([inner.common, rule.digits]);
    const digit = digitAfter(common, inner.common);
    const moved: Node = { prefix: common + digit, content: inner };
    node.content = { kind: 'branch', common, children: new Map([[digit, moved]]) };
    this.#keep(moved, touched);
    this.#branchTo(node, [rule], touched);
  }

  /** Gives a branch a child with `rules`, which share the digit after its common prefix. */
  #branchTo(node: Node, rules: readonly Placed[], touched: Set<string>): void {
    const { common, children } = node.content as Branch;
    const digit = digitAfter(common, (rules[0] as Placed).digits);
    const child: Node = { prefix: common + digit, content: leafOf(rules) };
    children.set(digit, child);
    this.#keep(node, touched);
    this.#settle(child, touched);
  }

  /** Splits a leaf that has become too long. */
  #settle(node: Node, touched: Set<string>): void {
    this.#keep(node, touched);
    if (node.content.kind === 'branch') return;
    const rules = [...node.content.rules.values()];
    if (fitsOneChain(rules)) return;
    const common = sharedPrefix(rules.map(({ digits }) => digits));
    node.content = { kind: 'branch', common, children: new Map() };
    const groups = Map.groupBy(rules, ({ digits }) => digitAfter(common, digits));
    for (const group of groups.values()) this.#branchTo(node, group, touched);
  }

  #remove(node: Node, rule: Placed, touched: Set<string>): void {
    const { content } = node;
    if (content.kind === 'leaf') {
      if (content.rules.delete(rule.key)) this.#keep(node, touched);
      return;
    }
    const digit = digitAfter(content.common, rule.digits);
    const child = content.children.get(digit);
    if (child === undefined || !rule.digits.startsWith(content.common)) return;
    this.#remove(child, rule, touched);
    if (isEmpty(child)) {
      content.children.delete(digit);
      this.#forget(child, touched);
      this.#keep(node, touched);
    }
    this.#collapse(node, content, touched);
  }

  /** Takes out the level that a removal has made needless. */
  #collapse(node: Node, { children }: Branch, touched: Set<string>): void {
    const [child] = children.values();
    if (child !== undefined && children.size === 1) {
      node.content = child.content;
      this.#forget(child, touched);
    } else {
      const rules = fewRulesUnder(node);
      if (rules === undefined) return;
      for (const below of [...nodesUnder(node)].slice(1)) this.#forget(below, touched);
      node.content = leafOf(rules);
    }
    this.#keep(node, touched);
  }

  #keep(node: Node, touched: Set<string>): void {
    const chain = this.#chainOf(node);
    this.#nodes.set(chain, node);
    touched.add(chain);
  }

  #forget(node: Node, touched: Set<string>): void {
    const chain = this.#chainOf(node);
    this.#nodes.delete(chain);
    touched.add(chain);
  }
}

function placed({ address, digits, text }: DispatchRule): Placed {
  const port = String(address.port).padStart(5, '0');
  return { digits, key: `${digits} ${address.protocol} ${port} ${text}`, text };
}

function emptyNode(prefix: string): Node {
  return { prefix, content: leafOf([]) };
}

function leafOf(rules: readonly Placed[]): Leaf {
  return { kind: 'leaf', rules: new Map(rules.map((rule) => [rule.key, rule])) };
}

function isEmpty({ content }: Node): boolean {
  return content.kind === 'leaf' && content.rules.size === 0;
}

function digitAfter(prefix: string, digits: string): string {
  return digits.charAt(prefix.length);
}

function fitsOneChain(rules: readonly Placed[]): boolean {
  if (rules.length <= maxRules) return true;
  return rules.every(({ digits }) => digits === rules[0]?.digits);
}

/** The node and all below it, in the order of their prefixes. */
function* nodesUnder(node: Node): Generator<Node> {
  yield node;
  if (node.content.kind === 'leaf') return;
  for (const [, child] of sortedByKey(node.content.children)) yield* nodesUnder(child);
}

/** All rules under a node, or undefined where they are too many for one chain; walks no further. */
function fewRulesUnder(node: Node): Placed[] | undefined {
  const found: Placed[] = [];
  for (const { content } of nodesUnder(node)) {
    if (content.kind === 'leaf') found.push(...content.rules.values());
    if (found.length > maxRules) return undefined;
  }
  return found;
}

function sortedByKey<T>(map: ReadonlyMap<string, T>): [string, T][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}

// What all of `texts` begin with.
function sharedPrefix(texts: Iterable<string>): string {
  let shared: string | undefined;
  for (const text of texts) {
    let length = 0;
    if (shared === undefined) length = text.length;
    else while (length < shared.length && shared[length] === text[length]) length += 1;
    shared = text.slice(0, length);
  }
  return shared ?? '';
}
