// `run` within limits: what would lose more than is allowed keeps its last good rules; the log says it once, and that
// it is over; `status` and the metric say it as long as it lasts.
import { describe, expect, test } from 'vitest';
import { manifestDigest } from '../../src/lab/sluice-process.ts';
import { allRules } from '../support/kernel-rules.ts';
import { modes } from '../support/network-namespace.ts';
import { manifestOf } from '../support/service-objects.ts';
import { standWith } from './stand.ts';

const pods = ['10.244.1.1', '10.244.1.2', '10.244.1.3'];
const spec = { type: 'LoadBalancer', externalTrafficPolicy: 'Local', externalIPs: ['192.0.2.10'] };

const node = `apiVersion: v1
kind: Node
metadata: { name: node-1 }
status: { addresses: [{ type: InternalIP, address: 192.0.2.11 }] }
---
`;

/** A Service that clients from outside reach at endpoints of this node, and another one. */
function manifest(local: readonly string[], others: readonly string[]): string {
  const services = manifestOf([
    { name: 'near', ip: '10.96.0.1', spec, endpoints: pods, local },
    { name: 'web', ip: '10.96.0.2', endpoints: others },
  ]);
  return node + services;
}

const limits = ['--refuse-if-endpoints-lost', '40%', '--refuse-if-services-lost', '0'];
const refused =
  'refused: default/near would lose 3 of 3 endpoints (100%) at 192.0.2.10:80/tcp from outside, more than 40%';

describe.each(modes)('with %s', (mode) => {
  test('the last good rules stay, it is said once, and over when it is over', async () => {
    const good = manifest(pods, pods);
    const stand = await standWith(mode, good);
    await stand.exec('sh', ['-c', 'ip link set lo up; ip address add 192.0.2.11/32 dev lo']);
    const sluice = stand.start({ manifests: stand.manifests, proxyMode: mode, flags: limits });
    const follow = async (text: string): Promise<void> => {
      await stand.rewrite(text);
      await sluice.inStep(manifestDigest(text));
    };
    const said = (): readonly string[] =>
      sluice.log.filter((line) => /"msg":"(a limit is|quarantine over)/.test(line));
    const held = async (): Promise<readonly unknown[]> => {
      const { exitCode, stdout } = await stand.sluice(['status']);
      const metrics = await stand.exec('curl', ['-s', 'http://127.0.0.1:10249/metrics']);
      const metric = /^sluice_quarantined_services\{ip_family="IPv4"\} (\d)/m.exec(metrics.stdout);
      return [exitCode, stdout.includes(refused), metric?.[1]];
    };
    await sluice.inStep(manifestDigest(good));
    expect(await held()).toEqual([0, false, '0']);

    await follow(manifest([], pods));
    await follow(manifest([], pods.slice(1)));
    expect(said().map((line) => JSON.parse(line) as object)).toMatchObject([
      { level: 'error', service: 'default/near', err: { message: refused } },
    ]);
    expect(await held()).toEqual([1, true, '1']);
    // `diff` says the same, of the rules that are there.
    const diff = await stand.sluice(['diff', ...stand.flags, ...limits]);
    expect([diff.exitCode, diff.stderr.includes(`sluice: ${refused}\n`)]).toEqual([3, true]);

    await follow(good);
    expect(
      said()
        .slice(1)
        .map((line) => JSON.parse(line) as object),
    ).toMatchObject([
      {
        level: 'info',
        service: 'default/near',
        msg: "quarantine over: the Service's rules are in the kernel now",
      },
    ]);
    expect(await held()).toEqual([0, false, '0']);
    await sluice.stop();

    // A start in which too much would go leaves all of it.
    const before = await allRules(stand.exec, mode);
    await stand.rewrite(manifestOf([{ name: 'web', ip: '10.96.0.2', endpoints: pods }]));
    const again = stand.start({ manifests: stand.manifests, proxyMode: mode, flags: limits });
    await again.logged(
      'a limit is passed: the kernel keeps the last good rules until it is not',
      0,
    );
    expect(await allRules(stand.exec, mode)).toBe(before);
  });
});
