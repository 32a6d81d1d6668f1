// Reads addresses: untrusted text in, canonical addresses and CIDRs out. Which addresses a Service may have
// is for the API server to say; which endpoints get no traffic is decided in src/resolve.
import { readText, report, type Field } from './json-field.ts';
import { quoted } from '../problem.ts';
import { parseCidr, parseIp, type Cidr, type Ip } from '../../model/ip.ts';

/** An address of any kind. */
export function readIp(field: Field): Ip | undefined {
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
