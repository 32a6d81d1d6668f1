// Opens connections from inside a network namespace and tells what became of each: run with node, one
// JSON array of packets on a line of standard input, one JSON array of error codes ('' for none) out.
import { createSocket } from 'node:dgram';
import { createConnection } from 'node:net';
import { createInterface } from 'node:readline';

for await (const line of createInterface({ input: process.stdin })) {
  const packets = JSON.parse(line);
  const sent = packets.map((packet) => (packet.protocol === 'udp' ? sendUdp : sendTcp)(packet));
  const errors = await Promise.all(sent);
  process.stdout.write(`${JSON.stringify(errors)}\n`);
}

function sendTcp({ source, sourcePort, destination, port, ms }) {
  return new Promise((resolve) => {
    const socket = createConnection({
      host: destination,
      port,
      localAddress: source,
      localPort: sourcePort,
    });
    const end = (code) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(code);
    };
    const timer = setTimeout(end, ms, '');
    socket.once('connect', () => end(''));
    socket.once('error', ({ code }) => end(code));
  });
}

function sendUdp({ source, sourcePort, destination, port, ms }) {
  return new Promise((resolve) => {
    const socket = createSocket(destination.includes(':') ? 'udp6' : 'udp4');
    let timer;
    const end = (code) => {
      clearTimeout(timer);
      socket.close();
      resolve(code);
    };
    socket.once('error', ({ code }) => end(code));
    socket.bind(sourcePort, source, () => {
      socket.connect(port, destination, (error) => {
        if (error) return end(error.code);
        timer = setTimeout(end, ms, '');
        socket.send('?');
      });
    });
  });
}
