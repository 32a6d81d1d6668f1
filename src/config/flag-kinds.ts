// The kinds of values that flags take: the text given in, a value out, or undefined where the text is
// none. Cross-checks between flags are in config.ts.
import { parseBoolean, parseDecimal, parseDurationMs, parseInteger } from './go-values.ts';
import { isInterfaceName } from './interface-name.ts';
import { parseCidr, type Cidr } from '../model/ip.ts';

/** How each kind is read, and what a text that is none should have been. */
export const flagKinds = {
  string: { parse: (text: string): string => text, expected: 'a text' },
  bool: { parse: parseBoolean, expected: 'true or false' },
  int: { parse: parseInteger, expected: 'a whole number' },
  decimal: { parse: parseDecimal, expected: 'a number' },
  duration: { parse: parseDurationMs, expected: 'a duration such as 30s or 15m0s' },
  cidrs: { parse: parseCidrs, expected: 'a CIDR, or several separated by commas' },
  nodePortAddresses: {
    parse: parseNodePortAddresses,
    expected: 'a list of CIDRs separated by commas, or the word primary alone',
  },
  interface: {
    parse: (text: string): string | undefined => (isInterfaceName(text) ? text : undefined),
    expected: 'an interface name: 1 to 15 letters, digits, or any of _ . @ -',
  },
} as const;

export type FlagKind = keyof typeof flagKinds;

function parseCidrs(text: string): readonly Cidr[] | undefined {
  const cidrs = text.split(',').map((entry) => parseCidr(entry.trim()));
  return cidrs.every((cidr) => cidr !== undefined) ? cidrs : undefined;
}

function parseNodePortAddresses(text: string): readonly string[] | undefined {
  return text === 'primary' ? [text] : parseCidrs(text);
}
