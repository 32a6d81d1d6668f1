// What the kernel's tables of sockets say of who listens.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readListeners } from '../../../../src/host/network/listening-ports.ts';

const head =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const rest =
  '00000000:00000000 00:00000000 00000000     0        0 31337 1 0000000000000000 100 0 0 10 0\n';

const tables = {
  tcp: `${head}   0: 00000000:7531 00000000:0000 0A ${rest}   1: 0200A8C0:1F90 00000000:0000 0A ${rest}   2: 0200A8C0:7532 0100000A:D431 01 ${rest}`,
  tcp6: `${head}   0: 00000000000000000000000000000000:7533 00000000000000000000000000000000:0000 0A ${rest}   1: 9201 ${rest}  12: 000000FD000092010000000002000000:0050 00000000000000000000000000000000:0000 0A ${rest}`,
  udp: `${head} 1234: 00000000:0035 00000000:0000 07 ${rest} 1235: 0100007F:0036 0100007F:0037 01 ${rest}`,
};

test('sockets that wait for strangers are listed, those that are connected are not', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-proc-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const [name, text] of Object.entries(tables)) await writeFile(join(folder, name), text);
  expect(await readListeners(folder)).toEqual([
    { protocol: 'tcp', port: 30_001, ip: undefined },
    { protocol: 'tcp', port: 8080, ip: '192.168.0.2' },
    { protocol: 'tcp', port: 30_003, ip: undefined },
    {
      protocol: 'tcp',
      port: 80,
      ip: 'fd00:0:192::2',
    },
    { protocol: 'udp', port: 53, ip: undefined },
  ]);
});
