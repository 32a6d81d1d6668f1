// Runs in a network namespace: UDP servers that answer with their own address, and one client socket.
// Each line on standard input, `ADDRESS PORT`, sends a packet from that socket; each answer is a line.
import { createSocket } from 'node:dgram';
import { createInterface } from 'node:readline';

const [port, ...servers] = process.argv.slice(2);
for (const address of servers) {
  const server = createSocket('udp4');
  server.on('message', (_, from) => server.send(address, from.port, from.address));
  server.bind(Number(port), address);
}
const client = createSocket('udp4');
client.on('message', (answer) => process.stdout.write(`${answer}\n`));
// What is refused is told of by ICMP; the next packet is sent all the same.
client.on('error', () => {});
client.bind(40_033, '192.168.0.2', () => process.stdout.write('ready\n'));
createInterface({ input: process.stdin }).on('line', (line) => {
  const [to, at] = line.split(' ');
  client.send('hello', Number(at), to, () => {});
});
