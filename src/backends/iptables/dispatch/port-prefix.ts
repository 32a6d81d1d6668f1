// Ports as digits, one for the protocol and four for the number in hexadecimal, so that a range of
// 16, 256 or 4096 ports is a prefix of text. Pure.
import type { FrontendAddress } from '../../../model/forwarding.ts';
import type { Protocol } from '../../../model/kubernetes.ts';
import { portMatch as portsMatch } from '../rule-text.ts';
import type { PrefixMatch } from './tree.ts';

const protocols: Readonly<Record<string, Protocol>> = { T: 'tcp', U: 'udp', S: 'sctp' };
const letters: Readonly<Record<Protocol, string>> = { tcp: 'T', udp: 'U', sctp: 'S' };
const numberLength = 4;

/** The digits of a protocol and port: `T7530` for TCP 30000. */
export function portDigits({ protocol, port }: Pick<FrontendAddress, 'protocol' | 'port'>): string {
  return letters[protocol] + port.toString(16).padStart(numberLength, '0').toUpperCase();
}

/** The match on all ports whose digits begin with `prefix`. */
export const portMatch: PrefixMatch = (prefix) => {
  const protocol = protocols[prefix.charAt(0)];
  // Without a digit, all packets match.
  if (protocol === undefined) return {};
  const number = prefix.slice(1);
  if (number === '') return { protocol };
  const first = Number.parseInt(number.padEnd(numberLength, '0'), 16);
  const last = Number.parseInt(number.padEnd(numberLength, 'F'), 16);
  return { protocol, matches: [portsMatch(protocol, first, last)] };
};
