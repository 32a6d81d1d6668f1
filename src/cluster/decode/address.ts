// Reads addresses: untrusted text in, canonical addresses and CIDRs out. Addresses that would turn
// traffic back at the node itself are refused, as the API server refuses them.
import ipaddr from 'ipaddr.js';
import { readText, report, type Field } from './json-field.ts';
import { quoted } from '../problem.ts';
import { parseCidr, parseIp, type Cidr, type Ip } from '../../model/ip.ts';

// A Service or an endpoint at one of these would reach into the node: its own loopback, or a metadata
// server that trusts whoever is on the link.
const refusedRanges: Readonly<Record<string, string>> = {
  unspecified: 'an unspecified address',
  loopback: 'a loopback address',
  linkLocal: 'a link-local address',
  multicast: 'a multicast address',
  broadcast: 'a broadcast address',
};

// Begins as an address in one of them does: few do, and to ask which range an address is in takes long.
const maybeRefused = /^(?:0|127|169|22[4-9]|2[345]\d)\.|:/;

/** An address that a Service or an endpoint may have. */
export function readIp(field: Field): Ip | undefined {
  const ip = readAnyIp(field);
  if (ip === undefined || !maybeRefused.test(ip)) return ip;
  const refused = refusedRanges[ipaddr.parse(ip).range()];
  if (refused === undefined) return ip;
  report(field, `${ip} is ${refused}`);
  return undefined;
}

/** An address of any kind. */
export function readAnyIp(field: Field): Ip | undefined {
  const text = readText(field);
  if (text === undefined) return undefined;
  const ip = parseIp(text);
  if (ip === undefined) report(field, `${quoted(text)} is not an IP address`);
  return ip;
}

/** A CIDR, masked. */
export function readCidr(field: Field): Cidr | undefined {
  const text = readText(field);
  if (text === undefined) return undefined;
  const cidr = parseCidr(text);
  if (cidr === undefined) report(field, `${quoted(text)} is not a CIDR`);
  return cidr;
}
