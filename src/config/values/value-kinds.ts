// The kinds of values that flags and fields take: the text of a flag, or the JSON of a field, in; a value
// out, or undefined where it is none. Cross-checks between values are in config.ts.
import {
  formatDuration,
  parseBoolean,
  parseDecimal,
  parseDurationMs,
  parseInteger,
} from './go-values.ts';
import { isInterfaceName } from './interface-name.ts';
import { parseFeatureGates, parseVmodule, readFeatureGates, readVmodule } from './named-values.ts';
import { parseCidr, type Cidr } from '../../model/ip.ts';

/** How one kind is read and written, and what something that is none should have been. */
type Kind<T> = {
  /** Of a flag's text. */
  readonly parse: (text: string) => T | undefined;
  /** Of a field's JSON; never null or undefined, which stand for the default. */
  readonly fromJson: (json: unknown) => T | undefined;
  /** As KubeProxyConfiguration spells it. */
  readonly toJson: (value: T) => unknown;
  /** What a flag's text should have been. */
  readonly expected: string;
  /** What a field's JSON should have been, where that is something else. */
  readonly expectedJson?: string;
  /** For a list: whether JSON is an entry of it, and what it should have been. */
  readonly entry?: { readonly isOne: (json: unknown) => boolean; readonly expected: string };
};

const asIs = <T>(value: T): T => value;

/** A kind whose JSON is text, read as the flag's is. */
function textKind<T>(
  parse: (text: string) => T | undefined,
  expected: string,
  toJson: (value: T) => unknown = asIs,
): Kind<T> {
  const fromJson = (json: unknown): T | undefined =>
    typeof json === 'string' ? parse(json) : undefined;
  return { parse, fromJson, toJson, expected };
}

/** A kind whose JSON is a list of texts, each read alike; a flag has them between commas. */
function listKind<T>(parseEntry: (text: string) => T | undefined, expected: string) {
  const all = (texts: readonly unknown[]): readonly T[] | undefined => {
    const entries = texts.map((text) =>
      typeof text === 'string' ? parseEntry(text.trim()) : undefined,
    );
    return entries.every((entry) => entry !== undefined) ? entries : undefined;
  };
  return {
    parse: (text: string) => all(text.split(',')),
    fromJson: (json: unknown) => (Array.isArray(json) ? all(json) : undefined),
    toJson: asIs<readonly T[]>,
    entry: { isOne: (json: unknown) => all([json]) !== undefined, expected },
  };
}

/** How each kind is read and written. */
export const valueKinds = {
  string: { ...textKind((text) => text, 'a text'), expectedJson: 'a string' },
  bool: {
    parse: parseBoolean,
    fromJson: readBoolean,
    toJson: asIs<boolean>,
    expected: 'true or false',
  },
  int: {
    parse: parseInteger,
    fromJson: (json: unknown) => (Number.isSafeInteger(json) ? Number(json) : undefined),
    toJson: asIs<number>,
    expected: 'a whole number',
  },
  decimal: {
    parse: parseDecimal,
    fromJson: (json: unknown) => (Number.isFinite(json) ? Number(json) : undefined),
    toJson: asIs<number>,
    expected: 'a number',
  },
  duration: textKind(parseDurationMs, 'a duration such as 30s or 15m0s', formatDuration),
  // The one duration that may also be a number, of nanoseconds: logging.flushFrequency.
  durationOrNumber: {
    parse: parseDurationMs,
    fromJson: (json: unknown) =>
      typeof json === 'string' ? parseDurationMs(json) : nanoseconds(json),
    toJson: formatDuration,
    expected: 'a duration such as 30s or 15m0s',
  },
  quantity: {
    parse: parseQuantity,
    fromJson: (json: unknown) =>
      typeof json === 'string' || typeof json === 'number' ? parseQuantity(`${json}`) : undefined,
    toJson: asIs<string>,
    expected: 'a quantity such as 0 or 64Ki',
  },
  cidrs: textKind(parseCidrs, 'a CIDR, or several separated by commas', (cidrs: readonly Cidr[]) =>
    cidrs.join(','),
  ),
  cidrList: {
    ...listKind(parseCidr, 'a CIDR'),
    expected: 'a CIDR, or several separated by commas',
    expectedJson: 'a list of CIDRs',
  },
  nodePortAddresses: {
    ...listKind(parseNodePortAddress, 'a CIDR, or primary'),
    expected: 'a CIDR, or several separated by commas, or primary',
    expectedJson: 'a list of CIDRs',
  },
  interface: textKind(
    (text) => (isInterfaceName(text) ? text : undefined),
    'an interface name: 1 to 15 letters, digits, or any of _ . @ -',
  ),
  featureGates: {
    parse: parseFeatureGates,
    fromJson: readFeatureGates,
    toJson: asIs<Readonly<Record<string, boolean>>>,
    expected: 'names with true or false: Name=true,Other=false',
    expectedJson: 'an object of names with true or false',
  },
  vmodule: {
    parse: parseVmodule,
    fromJson: readVmodule,
    toJson: asIs<ReturnType<typeof parseVmodule>>,
    expected: 'patterns with a verbosity: proxier=4,con*=2',
    expectedJson: 'a list of filePattern with verbosity',
  },
} as const;

export type ValueKind = keyof typeof valueKinds;

/** What a kind's values are. */
export type KindValue<K extends ValueKind> = Exclude<
  ReturnType<(typeof valueKinds)[K]['parse']>,
  undefined
>;

/** Whether, for Go's reader of this kind, no text is the same as none given. */
export function isTextKind(kind: ValueKind): boolean {
  return ['string', 'interface', 'quantity', ...listKinds].includes(kind);
}

const listKinds: readonly ValueKind[] = [
  'cidrs',
  'cidrList',
  'nodePortAddresses',
  'featureGates',
  'vmodule',
];

function parseCidrs(text: string): readonly Cidr[] | undefined {
  return listKind(parseCidr, '').parse(text);
}

/** A CIDR, or the word for the node's own addresses; that it must stand alone is checked in config.ts. */
function parseNodePortAddress(text: string): 'primary' | Cidr | undefined {
  return text === 'primary' ? 'primary' : parseCidr(text);
}

// The YAML of kube-proxy is version 1.1, whose truth values are these too; ours is 1.2.
function readBoolean(json: unknown): boolean | undefined {
  if (typeof json === 'boolean') return json;
  if (typeof json !== 'string') return undefined;
  if (/^(y|Y|yes|Yes|YES|on|On|ON)$/.test(json)) return true;
  return /^(n|N|no|No|NO|off|Off|OFF)$/.test(json) ? false : undefined;
}

function nanoseconds(json: unknown): number | undefined {
  return Number.isSafeInteger(json) ? Number(json) / 1e6 : undefined;
}

function parseQuantity(text: string): string | undefined {
  const pattern =
    /^[+-]?(\d{1,30}\.?\d{0,30}|\.\d{1,30})([eE][+-]?\d{1,3}|[numkMGTPE]|[KMGTPE]i)?$/;
  return pattern.test(text) ? text : undefined;
}
