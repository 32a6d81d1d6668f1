// `sluice explain` in a network namespace: from manifests, a daemon and an API server.
import { execa } from 'execa';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { ProxyMode } from '../../src/model/config.ts';
import { rawService, rawSlice } from '../cluster/objects.ts';
import { StandInApiServer } from '../cluster/stand-in-api-server.ts';
import { manifestDigest } from '../../src/lab/sluice-process.ts';
import { modes } from '../support/network-namespace.ts';
import { manifest } from './explain-stand.ts';
import { standWith } from './stand.ts';

const texts: Readonly<Record<ProxyMode, string>> = {
  nftables: 'table ip sluice, chain services',
  iptables: 'table nat, chain KUBE-SERVICES',
};

describe.each(modes)('with %s', (mode) => {
  test('answers from manifests, and changes nothing', async () => {
    const stand = await standWith(mode, manifest);
    const flags = [...stand.flags];
    const { exitCode, stdout, stderr } = await stand.sluice([
      'explain',
      'web/shop-a',
      'web/shop',
      ...flags,
    ]);
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout.split('\n').slice(0, 12)).toEqual([
      '10.244.2.11 -> tcp 10.96.0.10:80 for Service web/shop:http: forwarded',
      '',
      'why',
      '  configuration: clusterCIDR 10.244.0.0/16: the sender is a pod',
      '  Service web/shop: spec.clusterIPs[0] 10.96.0.10: its own address in the cluster',
      '  Service web/shop: spec.ports[0].port tcp 80 (http): the Service port that it is for',
      '  Service web/shop: spec.internalTrafficPolicy Cluster: endpoints on any node count',
      '  configuration: clusterCIDR 10.244.0.0/16: from a pod, so the source address is kept',
      // The two modes differ in whether a node masquerades what does not pass it.
      ...(mode === 'iptables'
        ? [
            '  the endpoint itself: address 10.244.2.11: where it is sent to itself, masqueraded: else it would answer itself past this node',
            '',
            'endpoints',
            '  100.0 %  10.244.2.11:8080  on node-2 (EndpointSlice web/shop-1)',
          ]
        : [
            '',
            'endpoints',
            '  100.0 %  10.244.2.11:8080  on node-2 (EndpointSlice web/shop-1)',
            '  skipped   10.244.2.12:8080  not ready (EndpointSlice web/shop-1: endpoints[].conditions.ready false)',
          ]),
    ]);
    expect(stdout).toContain(texts[mode]);
    const listed = await stand.exec('nft', ['list', 'tables']);
    expect(listed.stdout).toBe('');
  });

  test('answers programs in JSON, and colours a terminal alone', async () => {
    const stand = await standWith(mode, manifest);
    const asked = ['explain', '10.244.1.13', '10.96.0.30:80', ...stand.flags];
    const { stdout } = await stand.sluice([...asked, '-o', 'json']);
    const answer = JSON.parse(stdout) as Record<string, unknown>;
    expect(answer).toMatchObject({
      mode,
      verdict: 'rejected',
      service: { key: 'web/idle', portName: '' },
      ends: [{ verdict: 'rejected', share: 1 }],
      decided: null,
    });
    expect(JSON.stringify(answer['decisions'])).toContain('no endpoint can be used: refused');
    expect((await stand.sluice([...asked, '--color', 'always'])).stdout).toContain('\u001B[1m');
  });

  test('asks a running daemon', async () => {
    const stand = await standWith(mode, manifest);
    await stand.exec('ip', ['link', 'set', 'lo', 'up']);
    const sluice = stand.start({ manifests: stand.manifests, proxyMode: mode });
    await sluice.inStep(manifestDigest(manifest));
    const daemon = ['--daemon', 'http://127.0.0.1:10247'];
    // Mode and ranges are the daemon's own.
    const { exitCode, stdout } = await stand.sluice([
      'explain',
      '10.244.1.13',
      'web/shop',
      ...daemon,
    ]);
    expect([exitCode, stdout.split('\n')[0]]).toEqual([
      0,
      '10.244.1.13 -> tcp 10.96.0.10:80 for Service web/shop:http: forwarded',
    ]);
    expect(stdout).toContain(texts[mode]);
    const nobody = await stand.sluice([
      'explain',
      'node',
      'web/shop',
      '--daemon',
      'http://127.0.0.1:10999',
    ]);
    expect([nobody.exitCode, nobody.stderr]).toEqual([
      2,
      'sluice: http://127.0.0.1:10999/debug/objects: no daemon answers there (connect ECONNREFUSED 127.0.0.1:10999)\n',
    ]);
  });
});

test('lists a cluster once', async () => {
  const server = await StandInApiServer.start();
  onTestFinished(() => server[Symbol.asyncDispose]());
  server.store.set('Service', rawService('web'));
  server.store.set('EndpointSlice', rawSlice('web', ['10.244.1.11']));
  const sluice = new URL('../../bin/sluice', import.meta.url).pathname;
  const flags = [
    '--master',
    server.url,
    '--hostname-override',
    'node-1',
    '--cluster-cidr',
    '10.244.0.0/16',
  ];
  const asked = ['explain', '10.244.1.13', 'default/web:http', ...flags];
  const { stdout } = await execa(sluice, asked);
  expect(stdout.split('\n')[0]).toBe(
    '10.244.1.13 -> tcp 10.96.20.1:80 for Service default/web:http: forwarded',
  );
  expect(server.requests.every(({ style }) => style === 'list')).toBe(true);
});

test('what cannot be asked is said, with the exit code for it', async () => {
  const stand = await standWith('nftables', manifest);
  const ask = async (...words: readonly string[]): Promise<unknown> => {
    const { exitCode, stdout, stderr } = await stand.sluice(['explain', ...words, ...stand.flags]);
    return [exitCode, stdout + stderr];
  };
  expect(await ask('node', 'web/db')).toEqual([
    1,
    'Service web/db is headless: it has no address, and its clients reach the pods directly (Service web/db: spec.clusterIP None)\n',
  ]);
  expect(await ask('node')).toEqual([2, 'sluice: explain needs TO:PORT[/PROTOCOL]\n']);
  expect(await ask('10.244.1.13', 'web/none')).toEqual([
    2,
    'sluice: Service "web/none" is not known\n',
  ]);
  expect(await ask('a', 'b', 'c')).toEqual([2, 'sluice: unexpected argument "c"\n']);
  expect(await ask('10.96.0.1', 'web/shop', '--daemon', 'http://127.0.0.1:1')).toEqual([
    2,
    'sluice: http://127.0.0.1:1/debug/objects: bad port\n',
  ]);
  expect(await ask('192.168.10.77', 'web/shop', '--live', '--wait', '100ms')).toEqual([
    1,
    expect.stringContaining('no such packet was seen'),
  ]);
});
