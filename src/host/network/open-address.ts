// Opens an address from this host, and says what it met: one new connection, or for UDP one empty datagram.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createConnection } from 'node:net';
import type { Ip } from '../../model/ip.ts';
import { parseIp } from '../../model/ip.ts';

/** What a connection, or a datagram, met. */
export type Met = 'answered' | 'refused' | 'unreachable' | 'silent';

export type Opening = {
  readonly protocol: 'tcp' | 'udp';
  readonly ip: Ip;
  readonly port: number;
  /** What takes longer is silent. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
};

type Limited = Omit<Opening, 'timeoutMs' | 'protocol'>;

/** Opens it once, and leaves nothing open. */
export async function openAddress({ timeoutMs, protocol, signal, ...at }: Opening): Promise<Met> {
  // A timer of our own: AbortSignal.timeout keeps nothing alive, and may be collected before it ends.
  const ending = new AbortController();
  const end = (): void => ending.abort();
  const timer = setTimeout(end, timeoutMs);
  signal.addEventListener('abort', end, { once: true });
  try {
    const limited = { ...at, signal: ending.signal };
    return await (protocol === 'tcp' ? openTcp(limited) : openUdp(limited));
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
  }
}

const unreachable: ReadonlySet<string> = new Set(['EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL']);

function metBy(error: unknown): Met {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ETIMEDOUT' || (error instanceof Error && error.name === 'AbortError'))
    return 'silent';
  return unreachable.has(code) ? 'unreachable' : 'refused';
}

async function openTcp({ ip, port, signal }: Limited): Promise<Met> {
  const socket = createConnection({ host: ip, port });
  try {
    await once(socket, 'connect', { signal });
    return 'answered';
  } catch (error) {
    return metBy(error);
  } finally {
    socket.on('error', () => {});
    // A reset leaves nothing behind on either side; of one that never connected it would wait for that.
    if (socket.connecting) socket.destroy();
    else socket.resetAndDestroy();
  }
}

async function openUdp({ ip, port, signal }: Limited): Promise<Met> {
  const socket = createSocket(ip.includes(':') ? 'udp6' : 'udp4');
  try {
    const answer = once(socket, 'message', { signal });
    answer.catch(() => {});
    // Only of a connected one is a refusal reported.
    socket.connect(port, ip);
    await Promise.race([once(socket, 'connect'), answer]);
    socket.send('');
    await answer;
    return 'answered';
  } catch (error) {
    return metBy(error);
  } finally {
    socket.close();
  }
}

/** The address that packets from this host to `ip` have as source; undefined where there is no way there. */
export async function sourceTowards(ip: Ip): Promise<Ip | undefined> {
  const socket = createSocket(ip.includes(':') ? 'udp6' : 'udp4');
  try {
    socket.connect(9, ip);
    await once(socket, 'connect');
    return parseIp(socket.address().address);
  } catch {
    return undefined;
  } finally {
    socket.close();
  }
}
