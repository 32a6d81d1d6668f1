// IP addresses and CIDRs as text in canonical form. Parsing is as lenient as Kubernetes' own ("sloppy":
// leading zeros are decimal); what comes out never contains the raw text of a cluster user.
import ipaddr from 'ipaddr.js';

declare const ipBrand: unique symbol;
declare const cidrBrand: unique symbol;

/** An IP family, spelled as EndpointSlice.addressType and Service.spec.ipFamilies spell it. */
export type Family = 'IPv4' | 'IPv6';

/** Both families, in the order in which they are always programmed. */
export const families: readonly Family[] = ['IPv4', 'IPv6'];

/** An address in canonical text: dotted quad, or RFC 5952 for IPv6. Made only by parseIp. */
export type Ip = string & { readonly [ipBrand]: true };

/** A masked CIDR in canonical text, such as `10.244.0.0/16`. Made only by parseCidr. */
export type Cidr = string & { readonly [cidrBrand]: true };

// Longer text is no address; the bound keeps hostile input away from the parser's regular expressions.
const longestIpText = 45;

// What nearly all addresses of a cluster look like: there are very many, and this is ten times as fast.
const canonicalDottedQuad = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?=\d)|$)){4}$/;

/** The canonical address that `text` means, or undefined where it means none. */
export function parseIp(text: string): Ip | undefined {
  if (canonicalDottedQuad.test(text)) return text as Ip;
  return parseAddress(text)?.toString() as Ip | undefined;
}

/** The canonical CIDR that `text` means (host bits masked away), or undefined where it means none. */
export function parseCidr(text: string): Cidr | undefined {
  const [addressText, lengthText, ...rest] = text.split('/');
  if (addressText === undefined || lengthText === undefined || rest.length > 0) return undefined;
  if (!/^\d{1,4}$/.test(lengthText)) return undefined;
  const address = parseAddress(addressText);
  const length = Number(lengthText);
  if (address === undefined || length > (address.kind() === 'ipv4' ? 32 : 128)) return undefined;
  const network =
    address.kind() === 'ipv4'
      ? ipaddr.IPv4.networkAddressFromCIDR(`${address.toString()}/${length}`)
      : ipaddr.IPv6.networkAddressFromCIDR(`${address.toString()}/${length}`);
  return `${network.toString()}/${length}` as Cidr;
}

/** The family of an address or CIDR that parseIp or parseCidr made. */
export function familyOf(address: Ip | Cidr): Family {
  return address.includes(':') ? 'IPv6' : 'IPv4';
}

/** The CIDR of one address alone. */
export function hostCidr(ip: Ip): Cidr {
  return `${ip}/${familyOf(ip) === 'IPv4' ? 32 : 128}` as Cidr;
}

/** Whether the address is in the CIDR; false across families. */
export function cidrContains(cidr: Cidr, ip: Ip): boolean {
  if (familyOf(cidr) !== familyOf(ip)) return false;
  return ipaddr.parse(ip).match(ipaddr.parseCIDR(cidr));
}

// Begins as an address in such a range does: few do, and to ask which range an address is in takes long.
const maybeSpecial = /^(?:0|127|22[4-9]|23\d)\.|^(?:ff|::1?$)/;

/** Whether no host can answer at the address: it is loopback, unspecified or multicast. */
export function isSpecial(ip: Ip): boolean {
  if (!maybeSpecial.test(ip)) return false;
  return ['loopback', 'unspecified', 'multicast'].includes(ipaddr.parse(ip).range());
}

function parseAddress(text: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  if (text.length > longestIpText) return undefined;
  if (!text.includes(':')) return parseDottedQuad(text);
  if (text.includes('%') || !ipaddr.IPv6.isValid(text)) return undefined;
  const address = ipaddr.IPv6.parse(text);
  return address.isIPv4MappedAddress() ? address.toIPv4Address() : address;
}

function parseDottedQuad(text: string): ipaddr.IPv4 | undefined {
  if (!/^\d{1,10}(\.\d{1,10}){3}$/.test(text)) return undefined;
  const octets = text.split('.').map(Number);
  return octets.every((octet) => octet <= 255) ? new ipaddr.IPv4(octets) : undefined;
}
