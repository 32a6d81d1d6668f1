// All pods of the cluster at once: accepts every connection to the endpoints' port, at whatever address.
import { createServer } from 'node:net';
import { endpointPort } from './cluster/services.ts';
import { answerLines } from './line-process.ts';

const server = createServer((socket) => socket.on('error', () => {}));
server.listen({ port: endpointPort, host: '0.0.0.0', backlog: 4096 }, () => {
  answerLines({}, () => ({}));
});
