// Addresses at which a server listens, as kube-proxy writes them: text in, an address with its port out.
import type { SocketAddress } from '../../model/config.ts';
import { familyOf, parseIp } from '../../model/ip.ts';

/** The ports that kube-proxy listens at where no other is said. */
export const defaultPorts = { healthz: 10_256, metrics: 10_249 } as const;

/** Where the page and what is for debugging are served where no other address is said, and its port. */
export const defaultDebug = { address: '127.0.0.1:10247', port: 10_247 } as const;

/** An IP address without a port gets this one; whatever else it is stays, to be judged later. */
export function withPort(text: string, port: number): string {
  const ip = parseIp(text);
  if (ip === undefined) return text;
  // As typed: its colons show whether it is IPv6, for ::ffff:1.2.3.4 too.
  return text.includes(':') ? `[${text}]:${port}` : `${text}:${port}`;
}

/** The address that `IP:port` means, or what is wrong with it. */
export function parseSocketAddress(text: string): SocketAddress | string {
  const [, bracketed, plain, portText] =
    /^(?:\[([^[\]]*)\]|([^:[\]]*)):([^:[\]]*)$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || portText === undefined) return 'is not IP:port';
  const ip = parseIp(host);
  const port = /^\d{1,5}$/.test(portText) ? Number(portText) : 0;
  const faults = [
    ...(ip === undefined ? ['its host is not an IP address'] : []),
    ...(port < 1 || port > 65_535 ? ['its port is not from 1 to 65535'] : []),
  ];
  return ip === undefined || faults.length > 0 ? faults.join(', and ') : { ip, port };
}

/** What an address is where none is said: of the family of bindAddress. */
export function defaultAddresses(bindAddress: string): {
  readonly healthz: string;
  readonly metrics: string;
} {
  const ip = parseIp(bindAddress);
  const isIpv4 = ip !== undefined && familyOf(ip) === 'IPv4';
  return {
    healthz: `${isIpv4 ? '0.0.0.0' : '[::]'}:${defaultPorts.healthz}`,
    metrics: `${isIpv4 ? '127.0.0.1' : '[::1]'}:${defaultPorts.metrics}`,
  };
}
