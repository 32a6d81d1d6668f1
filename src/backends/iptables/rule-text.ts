// How iptables-save spells a rule: in go its parts, out comes the text after `-A CHAIN`, in the order
// and with the digits and quotes in which every iptables since 1.8 prints it back. Must not decide
// anything about packets.
import type { Family } from '../../model/ip.ts';
import type { Protocol } from '../../model/kubernetes.ts';

/** A value that must, or must not, be the packet's. */
export type Test = { readonly value: string; readonly is: boolean };

/** A rule: what iptables prints first and in a fixed order, then its matches in the order given. */
export type RuleParts = {
  /** CIDRs. */
  readonly source?: Test;
  readonly destination?: Test;
  /** An interface name, or a prefix of one with `+`. */
  readonly inInterface?: Test;
  readonly protocol?: Protocol;
  /** Each as one of the functions below spells it; '' is no match. */
  readonly matches?: readonly string[];
  /** A target with its options; a rule without one says something to people and nothing to packets. */
  readonly jump?: string;
};

/** The text of a rule. */
export function ruleText(parts: RuleParts): string {
  const { source, destination, inInterface, protocol, matches = [], jump } = parts;
  const words = [
    testText('-s', source),
    testText('-d', destination),
    testText('-i', inInterface),
    protocol === undefined ? '' : `-p ${protocol}`,
    ...matches,
    jump === undefined ? '' : `-j ${jump}`,
  ];
  return words.filter((word) => word !== '').join(' ');
}

function testText(option: string, test: Test | undefined): string {
  if (test === undefined) return '';
  return test.is ? `${option} ${test.value}` : `! ${option} ${test.value}`;
}

/** The comment match; '' where there is nothing to say. */
export function commentMatch(text: string): string {
  return text === '' ? '' : `-m comment --comment ${quoted(text)}`;
}

// The kernel's struct holds 256 bytes with the final NUL (XT_MAX_COMMENT_LEN).
const maxCommentBytes = 255;

// As libxtables quotes (xtables_save_string): bare where all is plain, else in double quotes.
function quoted(text: string): string {
  const safe = text.replaceAll(/[^\x20-\x7e]/g, '_').slice(0, maxCommentBytes);
  return /^[\w-]+$/.test(safe) ? safe : `"${safe.replaceAll(/["\\']/g, String.raw`\$&`)}"`;
}

/** The module of a protocol, which kube-proxy names even where no port is matched. */
export function protocolMatch(protocol: Protocol): string {
  return `-m ${protocol}`;
}

/** The match on a destination port, or on a range of them. */
export function portMatch(protocol: Protocol, port: number, last = port): string {
  return `-m ${protocol} --dport ${port === last ? port : `${port}:${last}`}`;
}

/** The match on conntrack states, or on none of them. */
export function stateMatch(states: string, is = true): string {
  return `-m conntrack ${is ? '' : '! '}--ctstate ${states}`;
}

/** The match on addresses that this host itself has. */
export function localMatch(end: 'src' | 'dst'): string {
  return `-m addrtype --${end}-type LOCAL`;
}

/** What is done with a list of clients: the packet's source is put on it, or looked up. */
export type RecentUse =
  | { readonly kind: 'set' }
  /** Forgets those who were put on it longer ago than this. */
  | { readonly kind: 'check'; readonly seconds: number };

const wholeAddress: Readonly<Record<Family, string>> = {
  IPv4: '255.255.255.255',
  IPv6: 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
};

/** The match on a list of clients that were seen before. */
export function recentMatch(family: Family, list: string, use: RecentUse): string {
  const doing = use.kind === 'set' ? '--set' : `--rcheck --seconds ${use.seconds} --reap`;
  return `-m recent ${doing} --name ${list} --mask ${wholeAddress[family]} --rsource`;
}

/** The match on a bit of the packet mark being set, or not. */
export function markMatch(mark: number, is: boolean): string {
  return `-m mark ${is ? '' : '! '}--mark ${hex(mark)}/${hex(mark)}`;
}

/** The target that sets the bit `mark`, leaving the others. */
export function setMark(mark: number): string {
  return `MARK --set-xmark ${hex(mark)}/${hex(mark)}`;
}

/** The target that flips the bit `mark`, leaving the others. */
export function flipMark(mark: number): string {
  return `MARK --set-xmark ${hex(mark)}/0x0`;
}

function hex(mark: number): string {
  return `0x${(mark >>> 0).toString(16)}`;
}

// What the kernel keeps of a probability is a multiple of 1/2^31 (struct xt_statistic_info).
const probabilityBits = 31n;
const printedDecimals = 11n;

/**
 * The match that holds for one of `ways` connections. The digits are those of kube-proxy's rule once
 * the kernel has it: it hands 1/ways over with 10 decimals, and 11 of the nearest multiple of 1/2^31
 * come back, a tie rounded to even as printf does.
 */
export function oneOf(ways: number): string {
  const kept = BigInt(Math.round(Number((1 / ways).toFixed(10)) * 2 ** Number(probabilityBits)));
  const scaled = kept * 10n ** printedDecimals;
  const remainder = scaled & ((1n << probabilityBits) - 1n);
  const half = 1n << (probabilityBits - 1n);
  const floor = scaled >> probabilityBits;
  const roundsUp = remainder > half || (remainder === half && floor % 2n === 1n);
  const digits = String(floor + (roundsUp ? 1n : 0n)).padStart(12, '0');
  return `-m statistic --mode random --probability ${digits.slice(0, -11)}.${digits.slice(-11)}`;
}
