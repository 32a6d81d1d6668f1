// A node port that a program of the host listens on: said once, with the Service and the port.
import { execa } from 'execa';
import { stringify } from 'yaml';
import { describe, expect, onTestFinished, test } from 'vitest';
import { manifestDigest } from '../../src/lab/sluice-process.ts';
import { standWith } from '../cli/stand.ts';
import { modes, type NetworkNamespace } from '../support/network-namespace.ts';

function manifestWith(nodePorts: readonly number[], protocol = 'TCP'): string {
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web' },
    spec: {
      type: 'NodePort',
      clusterIP: '10.96.0.1',
      ports: nodePorts.map((nodePort, index) => ({
        name: `p${index}`,
        port: 80 + index,
        nodePort,
        protocol,
      })),
    },
  };
  const node = {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'node-1' },
    status: { addresses: [{ type: 'InternalIP', address: '192.168.0.2' }] },
  };
  return `${stringify(service)}---\n${stringify(node)}`;
}

/** A program of the namespace that listens; `address` as socat spells it. */
async function listenIn({ exec, name }: NetworkNamespace, address: string): Promise<void> {
  const child = execa('ip', ['netns', 'exec', name, 'socat', address, 'PIPE'], { reject: false });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await child;
  });
  const port = /:(\d+)/.exec(address)?.[1] ?? '';
  const isThere = async (): Promise<boolean> =>
    (await exec('ss', ['-Hlntu', `sport = :${port}`])).stdout !== '';
  await expect.poll(isThere).toBe(true);
}

describe.each(modes)('with %s', (mode) => {
  test('a node port that is taken is warned of once', async () => {
    const text = manifestWith([30_001, 30_002, 30_003, 30_004]);
    const stand = await standWith(mode, text);
    await stand.exec('ip', ['-batch', '-'], {
      input: 'link set lo up\naddress add 192.168.0.2/32 dev lo\n',
    });
    await listenIn(stand, 'TCP4-LISTEN:30001');
    await listenIn(stand, 'TCP4-LISTEN:30002,bind=192.168.0.2');
    await listenIn(stand, 'UDP4-LISTEN:30003');
    await listenIn(stand, 'TCP6-LISTEN:30005');
    const sluice = stand.start({ manifests: stand.manifests, proxyMode: mode });
    await sluice.inStep(manifestDigest(text));
    const warnings = (): readonly string[] =>
      sluice.log
        .map((line) => JSON.parse(line) as Record<string, unknown>)
        .filter(({ level, service }) => level !== 'info' && service !== undefined)
        .map(({ service, port, protocol, listensAt }) =>
          [service, port, protocol, listensAt].join(' '),
        );
    const first = [
      'default/web:p0 30001 tcp *:30001',
      'default/web:p1 30002 tcp 192.168.0.2:30002',
    ];
    expect(warnings()).toEqual(first);

    const more = manifestWith([30_001, 30_002, 30_003, 30_005]);
    await stand.rewrite(more);
    await sluice.inStep(manifestDigest(more));
    expect(warnings()).toEqual([...first, 'default/web:p3 30005 tcp *:30005']);

    const udp = manifestWith([30_001, 30_002, 30_003], 'UDP');
    await stand.rewrite(udp);
    await sluice.inStep(manifestDigest(udp));
    expect(warnings().slice(3)).toEqual(['default/web:p2 30003 udp *:30003']);
    // It came back: that is said again.
    await stand.rewrite(text);
    await sluice.inStep(manifestDigest(text));
    expect(warnings().slice(4)).toEqual(first);
  });
});
