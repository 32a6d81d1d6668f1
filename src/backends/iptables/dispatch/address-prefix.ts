// Addresses as hexadecimal digits, so that a prefix on a border of four bits is a prefix of text. Pure.
import ipaddr from 'ipaddr.js';
import type { Family, Ip } from '../../../model/ip.ts';
import type { PrefixMatch } from './tree.ts';

/** The digits of an address: `0a600001` for 10.96.0.1. */
export function addressDigits(ip: Ip): string {
  return Buffer.from(ipaddr.parse(ip).toByteArray()).toString('hex');
}

/** The match on all addresses whose digits begin with a prefix. */
export function addressMatch(family: Family): PrefixMatch {
  return (prefix) => ({ destination: { value: cidrOfDigits(family, prefix), is: true } });
}

// Digits of a whole address.
const lengths: Readonly<Record<Family, number>> = { IPv4: 8, IPv6: 32 };

const bitsPerDigit = 4;

// `10.96.0.0/16` for `0a60`.
function cidrOfDigits(family: Family, digits: string): string {
  const padded = digits.padEnd(lengths[family], '0');
  const address = ipaddr.fromByteArray([...Buffer.from(padded, 'hex')]);
  return `${address.toString()}/${digits.length * bitsPerDigit}`;
}
