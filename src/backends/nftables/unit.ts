// The units of an nftables Program: our table, its sets and maps, its chains, and their elements.
import type { FrontendAddress } from '../../model/forwarding.ts';
import type { Family } from '../../model/ip.ts';
import type { ServiceKey } from '../../model/kubernetes.ts';
import { declarationText } from './declaration.ts';
import type { Statement } from './expression.ts';
import { statementText } from './expression.ts';
import type { Slot, Target } from './keys.ts';
import { keys, unorderedSlot } from './keys.ts';
import type { Container, SlotMap } from './schema.ts';
import { familyWords, tableName } from './schema.ts';

/** One rule: statements, and a comment that the kernel keeps. */
export type NftRule = { readonly expr: readonly Statement[]; readonly comment?: string };

/** Where a base chain hangs. */
export type NftHook = { readonly type: string; readonly hook: string; readonly prio: number };

type Common = {
  readonly id: string;
  readonly owner: ServiceKey | undefined;
  readonly text: string;
};

export type TableUnit = Common & { readonly kind: 'table' };
export type ContainerUnit = Common & {
  readonly kind: 'set' | 'map';
  readonly container: Container;
  /** Of a map that packets fill with clients: where these may be sent, sorted. */
  readonly endpoints: readonly string[] | undefined;
};
export type ChainUnit = Common & {
  readonly kind: 'chain';
  readonly name: string;
  readonly hook: NftHook | undefined;
  readonly rules: readonly NftRule[];
};
export type ElementUnit = Common & {
  readonly kind: 'element';
  /** Name of the set or map. */
  readonly container: string;
  /** Parts joined by ` . `, as nft prints a concatenation. */
  readonly key: string;
  /** Data joined likewise, or a verdict such as `goto external-XPGD46QR-ns/web/tcp/http`; undefined in a set. */
  readonly value: string | undefined;
  readonly comment: string | undefined;
  /** Of a client that is remembered: for how long still. */
  readonly expiresSeconds: number | undefined;
  readonly unordered: string | undefined;
};
export type NftUnit = TableUnit | ContainerUnit | ChainUnit | ElementUnit;

/** The unit of our table; `layout` is text that differs where the kernel's table is not of this shape. */
export function tableUnit(family: Family, layout = ''): TableUnit {
  const text = `table ${familyWords[family].table} ${tableName}${layout}`;
  return { kind: 'table', id: 'table', owner: undefined, text };
}

/** The unit of a set or map; `endpoints` are those where clients that packets add to it may be sent. */
export function containerUnit(
  family: Family,
  container: Container,
  endpoints?: readonly Target[],
): ContainerUnit {
  const { name, data } = container;
  const kind = data === undefined ? 'set' : 'map';
  const targets = endpoints?.map(keys.target.write).toSorted();
  const clients = targets === undefined ? '' : ` # clients of ${targets.join(', ')}`;
  const text = `${kind} ${name} { ${declarationText(family, container)} }${clients}`;
  return { kind, id: `${kind} ${name}`, owner: undefined, text, container, endpoints: targets };
}

export function chainUnit(name: string, rules: readonly NftRule[], hook?: NftHook): ChainUnit {
  const lines = rules.map(ruleText);
  if (hook !== undefined) lines.unshift(hookText(hook));
  const text = `chain ${name} {\n${lines.map((line) => `  ${line}\n`).join('')}}`;
  return { kind: 'chain', id: `chain ${name}`, owner: undefined, text, name, hook, rules };
}

type ElementParts = Pick<ElementUnit, 'container' | 'key'> &
  Partial<Pick<ElementUnit, 'value' | 'comment' | 'owner' | 'expiresSeconds'>>;

/** The unit of one element; `owner` is the Service that it stands for. */
export function elementUnit(element: ElementParts): ElementUnit {
  const { expiresSeconds } = element;
  return expiresSeconds === undefined
    ? new Element(element)
    : new ClientElement({ ...element, expiresSeconds });
}

/** The unit of an endpoint in a slot of a frontend of the Service `owner`. */
export function slotElement(slot: Slot, owner: ServiceKey): ElementUnit {
  return new SlotElement(slot, owner);
}

/** The same unit, which now stands for this Service. */
export function ownedUnit(unit: NftUnit, owner: ServiceKey): NftUnit {
  return unit.kind === 'element' ? new Element({ ...partsOf(unit), owner }) : { ...unit, owner };
}

function partsOf({ container, key, value, comment }: ElementUnit): ElementParts {
  return {
    container,
    key,
    ...(value === undefined ? {} : { value }),
    ...(comment === undefined ? {} : { comment }),
  };
}

// What follows from the rest is spelled when it is asked for, and takes no memory: most elements are never
// compared with another one.
abstract class Spelled implements ElementUnit {
  abstract readonly owner: ServiceKey | undefined;
  abstract readonly container: string;
  abstract readonly key: string;
  abstract readonly value: string | undefined;
  abstract readonly comment: string | undefined;
  abstract readonly expiresSeconds: number | undefined;

  get kind(): 'element' {
    return 'element';
  }

  get id(): string {
    return `${this.container} ${this.key}`;
  }

  get text(): string {
    return `${this.container} { ${elementText(this)} }`;
  }

  get unordered(): string | undefined {
    return unorderedSlot(this);
  }
}

class Element extends Spelled {
  readonly owner: ServiceKey | undefined;
  readonly container: string;
  readonly key: string;
  readonly value: string | undefined;
  readonly comment: string | undefined;

  constructor({ owner, container, key, value, comment }: ElementParts) {
    super();
    this.owner = owner;
    this.container = container;
    this.key = key;
    this.value = value;
    this.comment = comment;
  }

  get expiresSeconds(): number | undefined {
    return undefined;
  }
}

class ClientElement extends Element {
  readonly #expiresSeconds: number;

  constructor(parts: ElementParts & { readonly expiresSeconds: number }) {
    super(parts);
    this.#expiresSeconds = parts.expiresSeconds;
  }

  override get expiresSeconds(): number {
    return this.#expiresSeconds;
  }
}

// A cluster of 10,000 Services has 300,000 of these while it is loaded.
class SlotElement extends Spelled {
  readonly owner: ServiceKey;
  readonly #map: SlotMap;
  readonly #frontend: FrontendAddress;
  readonly #slot: number;
  readonly #endpoint: Target;

  constructor({ map, frontend, slot, endpoint }: Slot, owner: ServiceKey) {
    super();
    this.owner = owner;
    this.#map = map;
    this.#frontend = frontend;
    this.#slot = slot;
    this.#endpoint = endpoint;
  }

  get container(): string {
    return this.#map.name;
  }

  get key(): string {
    const { ip, port } = this.#frontend;
    return keys.slot.write({ ip, port, slot: this.#slot });
  }

  get value(): string {
    return keys.target.write(this.#endpoint);
  }

  get comment(): undefined {
    return undefined;
  }

  get expiresSeconds(): undefined {
    return undefined;
  }
}

/** An element as nft's language spells it, without its set. */
export function elementText({
  key,
  value,
  comment,
  expiresSeconds,
}: Pick<ElementUnit, 'key' | 'value' | 'comment' | 'expiresSeconds'>): string {
  const timed = expiresSeconds === undefined ? key : `${key} expires ${expiresSeconds}s`;
  const commented = comment === undefined ? timed : `${timed} comment "${comment}"`;
  return value === undefined ? commented : `${commented} : ${value}`;
}

/** A rule as nft's language spells it. */
export function ruleText({ expr, comment }: NftRule): string {
  const statements = expr.map(statementText).join(' ');
  return comment === undefined ? statements : `${statements} comment "${comment}"`;
}

/** The declaration of a base chain's place. */
export function hookText({ type, hook, prio }: NftHook): string {
  return `type ${type} hook ${hook} priority ${prio} ;`;
}

// nft refuses comments of more than 128 bytes, and with them the whole transaction.
const maxCommentBytes = 128;

/** Text that is safe as a comment: printable ASCII without quotes, cut to what nft takes. */
export function commentOf(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]|["\\]/g, '_').slice(0, maxCommentBytes);
}
