// One try of a probe: a new connection or socket, and what it met. Built-in modules only; see agent.ts.
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { connect, isIPv6, type Socket } from 'node:net';
import type { Flight, Try } from './protocol.ts';

/** How long a try waits before it counts as unanswered. */
export const tryTimeoutMs = 1200;

const refusals = new Set(['ECONNREFUSED', 'ECONNRESET', 'EHOSTUNREACH', 'ENETUNREACH', 'EACCES']);

/** Sends once; throws only where this machine, not the network, is at fault. */
export async function attempt(flight: Flight): Promise<Try> {
  try {
    return flight.protocol === 'udp' ? await attemptUdp(flight) : await attemptHttp(flight);
  } catch (error) {
    return tryOfError(error);
  }
}

/** What a failure of a socket says about the network. */
export function tryOfError(error: unknown): Try {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (refusals.has(code)) return { result: 'refused' };
  if (code === 'ETIMEDOUT') return { result: 'timeout' };
  throw error;
}

/** The name and source that a host of the lab answered with. */
export function tryOfIdentity(answer: string): Try {
  const { name, source }: { name: string; source: string } = JSON.parse(answer);
  return { result: 'ok', name, source };
}

async function attemptHttp({ to, port, protocol, sourcePort }: Flight): Promise<Try> {
  const from = sourcePort === undefined ? {} : { localPort: sourcePort };
  const socket = connect({ host: to, port, ...from, allowHalfOpen: true });
  try {
    const page = await get(socket, to);
    const [head = '', body = ''] = page.split('\r\n\r\n');
    if (protocol === 'tcp') return tryOfIdentity(body);
    return { result: 'page', status: Number(head.split(' ')[1]), body: parsed(body) };
  } finally {
    // A reset leaves no TIME_WAIT behind, so that the next try may come from the same port.
    socket.resetAndDestroy();
  }
}

/** Asks for `/` in HTTP/1.0, where the end of the connection is the end of the answer. */
function get(socket: Socket, host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(Object.assign(new Error('late'), { code: 'ETIMEDOUT' }));
    const timer = setTimeout(abort, tryTimeoutMs);
    let answer = '';
    socket.on('data', (data: Buffer) => (answer += data.toString()));
    socket.on('end', () => resolve(answer));
    socket.on('error', reject);
    socket.on('close', () => clearTimeout(timer));
    socket.write(`GET / HTTP/1.0\r\nHost: ${host.includes(':') ? `[${host}]` : host}\r\n\r\n`);
  });
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return body;
  }
}

async function attemptUdp({ to, port, sourcePort = 0 }: Flight): Promise<Try> {
  const socket = createSocket(isIPv6(to) ? 'udp6' : 'udp4');
  try {
    return await askUdp(socket, { to, port, sourcePort });
  } finally {
    socket.close();
  }
}

function askUdp(
  socket: UdpSocket,
  { to, port, sourcePort }: { to: string; port: number; sourcePort: number },
): Promise<Try> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve({ result: 'timeout' }), tryTimeoutMs);
    const fail = (error: unknown): void => {
      clearTimeout(timer);
      reject(error);
    };
    socket.on('error', fail);
    socket.on('message', (answer) => {
      clearTimeout(timer);
      resolve(tryOfIdentity(answer.toString()));
    });
    // Connected, because only then does the kernel report to the socket an ICMP refusal.
    socket.on('connect', () =>
      socket.send('who?', (error) => (isDropped(error) ? undefined : fail(error))),
    );
    socket.bind({ port: sourcePort }, () => socket.connect(port, to));
  });
}

// No error at all; or a rule of this very host that drops, which elsewhere would be silence too.
function isDropped(error: Error | null): boolean {
  return error === null || ('code' in error && error.code === 'EPERM');
}
