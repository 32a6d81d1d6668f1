// Sends the first packet of a connection from this host, and does not care for an answer.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createConnection, createServer, type AddressInfo } from 'node:net';
import type { Ip } from '../../model/ip.ts';

/** Which packet. */
export type Sending = {
  readonly protocol: 'tcp' | 'udp';
  readonly source: Ip;
  readonly sourcePort: number;
  readonly destination: Ip;
  readonly port: number;
};

/** A port that is free at an address of this host; throws where the host does not have it. */
export async function freePort(protocol: Sending['protocol'], ip: Ip): Promise<number> {
  if (protocol === 'udp') {
    const socket = createSocket(ip.includes(':') ? 'udp6' : 'udp4');
    socket.bind({ address: ip });
    await once(socket, 'listening');
    const { port } = socket.address();
    socket.close();
    return port;
  }
  const server = createServer();
  server.listen({ host: ip, port: 0 });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Sends it; `close` gives up what is left of the connection. */
export function sendPacket(sending: Sending): { readonly close: () => void } {
  return sending.protocol === 'udp' ? sendUdp(sending) : sendTcp(sending);
}

function sendTcp({ source, sourcePort, destination, port }: Sending): { close: () => void } {
  const socket = createConnection({
    host: destination,
    port,
    localAddress: source,
    localPort: sourcePort,
  });
  // Refused, or never answered: the trace shows it.
  socket.on('error', () => {});
  return { close: () => socket.destroy() };
}

function sendUdp({ source, sourcePort, destination, port }: Sending): { close: () => void } {
  const socket = createSocket(destination.includes(':') ? 'udp6' : 'udp4');
  let isClosed = false;
  const close = (): void => {
    if (!isClosed) socket.close();
    isClosed = true;
  };
  socket.on('error', close);
  socket.bind(sourcePort, source, () => {
    if (!isClosed) socket.send('', port, destination, () => {});
  });
  return { close };
}
