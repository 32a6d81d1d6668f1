// One rule of iptables-save, `-A CHAIN` left off, as data: what it matches and what it does.
import type { Cidr, Ip } from '../../../model/ip.ts';
import type { Fraction } from '../fraction.ts';

/** A condition; where `is` is false, its opposite. */
export type IptablesMatch =
  | { readonly kind: 'source' | 'destination'; readonly is: boolean; readonly cidr: Cidr }
  /** `name` may end in `+`: any interface that begins like that. */
  | { readonly kind: 'in-interface'; readonly is: boolean; readonly name: string }
  | { readonly kind: 'protocol'; readonly is: boolean; readonly protocol: string }
  | { readonly kind: 'port'; readonly is: boolean; readonly first: number; readonly last: number }
  | { readonly kind: 'mark'; readonly is: boolean; readonly value: number; readonly mask: number }
  | { readonly kind: 'state'; readonly is: boolean; readonly states: readonly string[] }
  | { readonly kind: 'local'; readonly is: boolean; readonly end: 'source' | 'destination' }
  | { readonly kind: 'random'; readonly share: Fraction }
  /** A list of clients: put on it (which always holds), or looked up. */
  | { readonly kind: 'recent'; readonly is: boolean; readonly use: 'set' | 'check' }
  | { readonly kind: 'unknown'; readonly text: string };

/** What is done with a packet that all matches fit. */
export type IptablesTarget =
  /** The rule says something to people, and nothing to packets. */
  | { readonly kind: 'none' }
  | { readonly kind: 'jump' | 'goto'; readonly chain: string }
  | { readonly kind: 'return' | 'accept' | 'drop' | 'reject' | 'masquerade' }
  | { readonly kind: 'dnat'; readonly ip: Ip; readonly port: number | undefined }
  /** The mark keeps the bits of `keep`, then those of `flip` change. */
  | { readonly kind: 'mark'; readonly keep: number; readonly flip: number }
  | { readonly kind: 'unknown'; readonly text: string };

export type IptablesRule = {
  readonly matches: readonly IptablesMatch[];
  readonly target: IptablesTarget;
  /** Its comment, or '' where it has none. */
  readonly comment: string;
  readonly text: string;
};

/** An option as it is printed, with its values; `is` is false behind a `!`. */
export type Option = {
  readonly name: string;
  readonly is: boolean;
  readonly values: readonly string[];
};

/** The one address, protocol and port that a rule may fit, as far as it names them. */
export type NamedAddress = {
  readonly ip: Ip | undefined;
  readonly protocol: string | undefined;
  readonly port: number | undefined;
};

/** What a rule names. */
export function namedAddress({ matches }: IptablesRule): NamedAddress {
  let [ip, protocol, port]: [Ip?, string?, number?] = [];
  for (const match of matches) {
    if (!('is' in match) || !match.is) continue;
    if (match.kind === 'destination') ip ??= soleIp(match.cidr);
    if (match.kind === 'protocol') protocol ??= match.protocol;
    if (match.kind === 'port' && match.first === match.last) port ??= match.first;
  }
  return { ip, protocol, port };
}

function soleIp(cidr: Cidr): Ip | undefined {
  const [ip, length] = cidr.split('/');
  return length === (cidr.includes(':') ? '128' : '32') ? (ip as Ip) : undefined;
}
