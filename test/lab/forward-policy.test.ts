// A node where iptables' chain FORWARD drops what no rule accepts, as Docker leaves it: who loses KUBE-FORWARD loses
// Service traffic from outside, so neither `run` nor `takeover` goes to nftables mode unasked. Real packets; needs root.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { stringify } from 'yaml';
import type { Try } from '../../src/lab/agent/protocol.ts';
import { createLab, type Lab } from '../../src/lab/lab.ts';
import { flagsFor } from '../support/network-namespace.ts';

const families = [
  {
    tool: 'iptables',
    type: 'IPv4',
    ip: '10.96.0.70',
    lb: '203.0.113.70',
    node: '192.168.10.11',
    pod: '10.244.1.11',
  },
  {
    tool: 'ip6tables',
    type: 'IPv6',
    ip: 'fd00:96::70',
    lb: '2001:db8:113::70',
    node: 'fd00:10::11',
    pod: 'fd00:244:1::11',
  },
] as const;
const ports = [
  { name: 'echo', port: 80, targetPort: 7070, nodePort: 30070 },
  { name: 'name', port: 81, targetPort: 8080, nodePort: 30071 },
] as const;

const slices = families.map(({ type, pod }) => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: `web-${type.toLowerCase()}`, labels: { 'kubernetes.io/service-name': 'web' } },
  addressType: type,
  ports: ports.map(({ name, targetPort: port }) => ({ name, port })),
  endpoints: [{ addresses: [pod], nodeName: 'node-1' }],
}));
const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web' },
  spec: {
    type: 'LoadBalancer',
    clusterIP: families[0].ip,
    clusterIPs: families.map(({ ip }) => ip),
    ipFamilies: families.map(({ type }) => type),
    ports,
  },
  status: { loadBalancer: { ingress: families.map(({ lb }) => ({ ip: lb })) } },
};
const node = {
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'node-1' },
  spec: { podCIDRs: ['10.244.1.0/24', 'fd00:244:1::/64'] },
  status: { addresses: families.map(({ node: address }) => ({ type: 'InternalIP', address })) },
};
const manifest = [node, service, ...slices].map((object) => stringify(object)).join('---\n');

type Stand = { readonly lab: Lab; readonly manifests: string; readonly state: readonly string[] };

async function stand(): Promise<Stand> {
  const lab = await createLab();
  const folder = await mkdtemp(join(tmpdir(), 'sluice-forward-'));
  onTestFinished(async () => {
    await lab.close();
    await rm(folder, { recursive: true });
  });
  const manifests = join(folder, 'services.yaml');
  await writeFile(manifests, manifest);
  for (const { tool } of families) await lab.exec('n1', [tool, '-P', 'FORWARD', 'DROP']);
  return { lab, manifests, state: ['--before-file', join(folder, 'before.json')] };
}

/** What the node ports and load balancers of both families answer from outside. */
async function answers({ lab }: Stand): Promise<readonly string[]> {
  const asked = families.flatMap(({ lb, node: address }) => [
    [lb, 81] as const,
    [address, 30071] as const,
  ]);
  const tries = await Promise.all(
    asked.map(([to, port]) => lab.probe({ from: 'ext', to, port, protocol: 'tcp', tries: 1 })),
  );
  return tries.flat().map(textOf);
}

function textOf(met: Try | undefined): string {
  return met?.result === 'ok' ? met.name : (met?.result ?? 'nothing');
}

const all = (what: string): readonly string[] => [what, what, what, what];

async function hold({ lab }: Stand, kind: 'open' | 'ping'): Promise<readonly string[]> {
  const held = families.flatMap(({ lb, node: address }) => [
    { to: lb, port: 80 },
    { to: address, port: 30070 },
  ]);
  const tries = await Promise.all(
    held.map(({ to, port }) => {
      const connection = `${to} ${port}`;
      return lab.hold(
        'ext',
        kind === 'open' ? { kind, connection, to, port } : { kind, connection },
      );
    }),
  );
  return tries.map(textOf);
}

// As iptables mode has them.
const everyNodePort = ['--nodeport-addresses', '0.0.0.0/0,::/0'];
const sluiceFile = fileURLToPath(new URL('../../bin/sluice', import.meta.url));

async function sluice({ lab, manifests, state }: Stand, ...args: readonly string[]) {
  const flags = ['--manifests', manifests, ...flagsFor('nftables'), ...everyNodePort];
  const own = args[0] === 'diff' ? [] : state;
  const { exitCode, stdout, stderr } = await lab.exec(
    'n1',
    ['env', '-u', 'FORCE_COLOR', sluiceFile, ...args, ...own, ...flags],
    { allowedExitCodes: [1, 2] },
  );
  return { exitCode, stdout, stderr };
}

const hints = families.map(
  ({ type, tool }) =>
    `${type}: the chain FORWARD of ${tool} stops Service traffic when KUBE-FORWARD is removed, and no rule of nftables ` +
    `mode can accept it there; to let it pass: ${tool} -I FORWARD -m conntrack --ctstate DNAT -j ACCEPT`,
);

test('from iptables mode to nftables mode where FORWARD drops', async () => {
  const made = await stand();
  const { lab, manifests, state } = made;
  const first = lab.startSluice({ manifests, proxyMode: 'iptables', flags: state });
  await first.logged('in step', 0);
  expect(await answers(made)).toEqual(all('p11'));
  expect(await hold(made, 'open')).toEqual(all('p11'));
  await first.stop();

  // Each says that it would be cut, and changes nothing.
  const refused = await sluice(made, 'run', '--logging-format=text');
  expect(refused.exitCode).toBe(2);
  for (const hint of hints) expect(refused.stderr).toContain(hint);
  const diff = await sluice(made, 'diff');
  expect(diff.stderr).toContain('run would not start');
  for (const hint of hints) expect(diff.stderr).toContain(hint);
  const takeover = await sluice(made, 'takeover');
  expect([takeover.exitCode, takeover.stderr]).toEqual([
    1,
    'nothing was changed; --accept-differences takes over all the same\n',
  ]);
  expect(takeover.stdout).toMatch(
    /^198\.51\.100\.1 +tcp 203\.0\.113\.70:81 +10\.244\.1\.11:8080 masqueraded +dropped$/m,
  );
  expect(takeover.stdout).toMatch(
    /^2001:db8:ffff::1 +tcp \[2001:db8:113::70\]:81 +\S+ masqueraded +dropped$/m,
  );
  for (const hint of hints) expect(takeover.stdout).toContain(hint);
  expect(await answers(made)).toEqual(all('p11'));
  expect(await hold(made, 'ping')).toEqual(all('p11'));

  // With the rule that is named, nothing is lost over the switch.
  const accept = ['FORWARD', '-m', 'conntrack', '--ctstate', 'DNAT', '-j', 'ACCEPT'];
  for (const { tool } of families) await lab.exec('n1', [tool, '-I', ...accept]);
  const second = lab.startSluice({
    manifests,
    proxyMode: 'nftables',
    flags: [...state, ...everyNodePort],
  });
  await second.logged('in step', 0);
  expect(second.log.join('\n')).toContain('taking over from Sluice in iptables mode');
  expect(await answers(made)).toEqual(all('p11'));
  expect(await hold(made, 'ping')).toEqual(all('p11'));

  // And without it all is lost, as was said: this is what the refusal saves.
  for (const { tool } of families) await lab.exec('n1', [tool, '-D', ...accept]);
  expect(await answers(made)).toEqual(all('timeout'));
});
