// The commands that ask a running daemon, and the replay of what it recorded, against a whole daemon in this
// process.
import { expect, test } from 'vitest';
import { modes } from '../../../support/network-namespace.ts';
import { nodeInMemory } from '../../../support/node-in-memory.ts';
import { clusterObjects } from '../../../support/service-objects.ts';
import { session } from '../../../support/session.ts';
import { refusing } from '../../../support/kernel-in-memory.ts';
import { connectionsVersion, type Connections } from '../../../../src/model/connections.ts';
import type { ServiceKey } from '../../../../src/model/kubernetes.ts';
import { serveJson } from '../../../support/json-server.ts';
import { startDaemon } from '../../daemon/stand.ts';

const web = { name: 'web', ip: '10.96.0.10', endpoints: ['10.244.1.11', '10.244.2.11'] };
const api = { name: 'api', ip: '10.96.0.20', endpoints: ['10.244.1.12'] };
const bad = { name: 'bad', ip: '10.96.0.30', endpoints: ['10.244.9.9'] };

// Its kernel counts nothing.
const flags = { nftables: ['--service-counters=off'], iptables: [] };

test.each(modes)('status, explain and replay of a daemon in %s mode', async (mode) => {
  const daemon = await startDaemon(mode, flags[mode]);
  const changes = (...services: Parameters<typeof clusterObjects>[0]) =>
    clusterObjects(services).map((object) => ({ op: 'set', object }) as const);
  await daemon.deliver(changes(web, api), '1');
  await daemon.deliver(changes({ ...web, endpoints: ['10.244.1.13'] }), '2');
  daemon.kernel.fault = refusing(({ text }) => text.includes('10.244.9.9'));
  daemon.submit({ changes: changes(bad), version: '3' });
  await daemon.log.next('quarantined');

  const { ip, port } = daemon.config.debugBindAddress;
  const url = `http://${ip}:${port}`;
  const { exec } = nodeInMemory();
  const { run, text } = session({ exec }, [
    [url, 'URL'],
    [/kernel {3}\S+/g, 'kernel   KERNEL'],
    [/memory {3}\d+/g, 'memory   SOME'],
  ]);
  const at = ['--daemon', url];
  await run(['status', ...at]);
  await run(['explain', 'node', 'default/web', ...at]);
  const { stdout: record } = await session({ exec }).run(['status', '--passes', ...at]);
  await daemon.stop();
  await run(['replay', '-'], { stdin: record });
  await run(['replay', '-', '--step', '2', '--rules'], { stdin: record });
  await run(['replay', '-', '--step', '2', '-o', 'json'], { stdin: record });
  await run(['replay', '-', '--step', '9'], { stdin: record });
  await run(['replay', '-'], { stdin: record.replaceAll('10.244.1.13', '10.244.1.14') });
  await run(['replay', '-'], { stdin: '{}' });
  await run(['replay', '/nowhere/record.json']);
  await expect(text()).toMatchFileSnapshot(`daemon.${mode}.txt`);
});

/** What a daemon tells at its first, second, ... reading: connections that grow by 3 and by 1 in each second. */
function connections(reading: number): Connections {
  const port = { family: 'IPv4', portName: 'http', protocol: 'tcp', skipped: 0 } as const;
  const endpoint = (text: string, count: number) => ({
    endpoint: text,
    isLocal: false,
    connections: count * reading,
  });
  const key = (text: string) => text as ServiceKey;
  const shop = [
    endpoint('10.244.1.1:80', 2),
    endpoint('10.244.1.2:80', 1),
    endpoint('10.244.1.3:80', 0),
  ];
  return {
    version: connectionsVersion,
    mode: 'iptables',
    counters: 'services',
    atMs: 1000 * reading,
    ports: [
      {
        ...port,
        service: key('web/api'),
        connections: reading,
        endpoints: [endpoint('10.244.2.1:80', 1)],
      },
      { ...port, service: key('web/shop'), connections: 3 * reading, endpoints: shop, skipped: 1 },
    ],
  };
}

test('top of what a daemon counts', async () => {
  let reading = 0;
  await using daemon = await serveJson((path) =>
    path === '/debug/connections' ? connections((reading += 1)) : undefined,
  );
  const { run, text } = session({}, [[daemon.url, 'URL']]);
  await run(['top', '--daemon', daemon.url, '--sort', 'idle']);
  await run(['top', '--daemon', daemon.url, '-o', 'json']);
  await run(['status', '--daemon', daemon.url]);
  await expect(text()).toMatchFileSnapshot('top.txt');
});
