// The servers of one host of the lab: every answer is the host's name and the source address it saw.
// In: names, addresses and ports. Out: servers that listen. Built-in modules only; see agent.ts.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createTcpServer, isIPv6 } from 'node:net';
import type { AgentSetup } from './protocol.ts';

/** Opens all servers of a host; resolves when each of them listens. */
export async function serve(setup: AgentSetup): Promise<void> {
  const { name, addresses, tcpPorts, udpPorts, echoPorts } = setup;
  await Promise.all([
    ...tcpPorts.map((port) => serveHttp(name, port)),
    ...echoPorts.map((port) => serveLines(name, port)),
    // A socket an address: an answer from a wildcard socket may leave from another address of the host.
    ...udpPorts.flatMap((port) => addresses.map((address) => serveUdp(name, { address, port }))),
  ]);
}

async function serveHttp(name: string, port: number): Promise<void> {
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'application/json');
    response.setHeader('connection', 'close');
    response.end(identity(name, request.socket.remoteAddress));
  });
  server.listen({ port, host: '::', backlog: 1024 });
  await once(server, 'listening');
}

async function serveLines(name: string, port: number): Promise<void> {
  const server = createTcpServer((socket) => {
    // A client that resets the connection is how tests end it.
    socket.on('error', () => socket.destroy());
    socket.on('data', () => socket.write(identity(name, socket.remoteAddress)));
  });
  server.listen({ port, host: '::' });
  await once(server, 'listening');
}

async function serveUdp(
  name: string,
  { address, port }: { readonly address: string; readonly port: number },
): Promise<void> {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  // A client that is gone answers with ICMP; that is no reason to stop serving the others.
  socket.on('error', () => undefined);
  socket.on('message', (_, client) => {
    socket.send(identity(name, client.address), client.port, client.address, () => undefined);
  });
  socket.bind({ port, address });
  await once(socket, 'listening');
}

function identity(name: string, source: string | undefined): string {
  return `${JSON.stringify({ name, source: (source ?? '').replace(/^::ffff:/, '') })}\n`;
}
