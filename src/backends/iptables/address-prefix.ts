// Addresses as hexadecimal digits, so that a prefix on a border of four bits is a prefix of text. Pure.
import ipaddr from 'ipaddr.js';
import type { Family, Ip } from '../../model/ip.ts';

/** Digits of a whole address. */
export const addressDigits: Readonly<Record<Family, number>> = { IPv4: 8, IPv6: 32 };

const bitsPerDigit = 4;

/** The digits of an address: `0a600001` for 10.96.0.1. */
export function digitsOf(ip: Ip): string {
  return Buffer.from(ipaddr.parse(ip).toByteArray()).toString('hex');
}

/** The prefix that `digits` begin, as a CIDR: `10.96.0.0/16` for `0a60`. */
export function cidrOfDigits(family: Family, digits: string): string {
  const padded = digits.padEnd(addressDigits[family], '0');
  const address = ipaddr.fromByteArray([...Buffer.from(padded, 'hex')]);
  return `${address.toString()}/${digits.length * bitsPerDigit}`;
}

/** What all of `texts` begin with. */
export function sharedPrefix(texts: Iterable<string>): string {
  let shared: string | undefined;
  for (const text of texts) {
    let length = 0;
    if (shared === undefined) length = text.length;
    else while (length < shared.length && shared[length] === text[length]) length += 1;
    shared = text.slice(0, length);
  }
  return shared ?? '';
}
