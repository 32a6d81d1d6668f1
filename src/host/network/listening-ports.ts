// The ports of this network namespace that programs wait on, as the kernel's tables in /proc list them.
import { readFile } from 'node:fs/promises';
import type { Ip } from '../../model/ip.ts';
import { parseIp } from '../../model/ip.ts';
import type { Protocol } from '../../model/kubernetes.ts';

/** A socket that connections, or packets, of strangers reach. */
export type Listener = {
  readonly protocol: Protocol;
  readonly port: number;
  /** Undefined where it is bound to every address. */
  readonly ip: Ip | undefined;
};

// State 0A is LISTEN; 07 is what an UDP socket has that is bound and not connected.
const tables = [
  { file: 'tcp', protocol: 'tcp', state: '0A' },
  { file: 'tcp6', protocol: 'tcp', state: '0A' },
  { file: 'udp', protocol: 'udp', state: '07' },
  { file: 'udp6', protocol: 'udp', state: '07' },
] as const;

/** Everything that listens for TCP or UDP, now. */
export async function readListeners(folder = '/proc/net'): Promise<readonly Listener[]> {
  const found = tables.map(async ({ file, protocol, state }) => {
    // A kernel without IPv6 has no tables for it.
    const text = await readFile(`${folder}/${file}`, 'latin1').catch(() => '');
    return parseSockets(text, { protocol, state });
  });
  return (await Promise.all(found)).flat();
}

/** The sockets of one table that are in this state. */
function parseSockets(
  text: string,
  { protocol, state }: { readonly protocol: Protocol; readonly state: string },
): readonly Listener[] {
  const wanted = new RegExp(
    `^ *\\d+: ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) \\S+ ${state} `,
    'gm',
  );
  return [...text.matchAll(wanted)].map(([, address = '', port = '']) => ({
    protocol,
    port: Number.parseInt(port, 16),
    ip: /^0+$/.test(address) ? undefined : parseIp(addressText(address)),
  }));
}

// Words of four bytes, each as a number of this machine: the bytes are the other way round where it is
// little-endian, as all that we run on are.
function addressText(hex: string): string {
  const words = hex.match(/.{8}/g) ?? [];
  const bytes = words.flatMap((word) => (word.match(/../g) ?? []).toReversed());
  if (bytes.length === 4) return bytes.map((byte) => Number.parseInt(byte, 16)).join('.');
  return bytes
    .join('')
    .replaceAll(/.{4}(?=.)/g, '$&:')
    .toLowerCase();
}
