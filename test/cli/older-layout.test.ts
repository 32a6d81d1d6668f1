// A node whose rules are those of Sluice 0.1, another layout: it is taken over in one go, and nothing that is open
// or remembered is lost.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createLab } from '../../src/lab/lab.ts';
import { manifestDigest } from '../../src/lab/sluice-process.ts';
import { podEchoPort } from '../../src/lab/topology.ts';

const folder = join(import.meta.dirname, '../fixtures/layout-0.1');
const manifests = join(folder, 'services.yaml');
const answer = { result: 'ok' } as const;

test('rules of 0.1 are replaced while connections live and clients keep their endpoints', async () => {
  await using lab = await createLab();
  const input = await readFile(join(folder, 'nftables.nft'), 'utf8');
  await lab.exec('n1', ['nft', '-f', '-'], { input });
  const open = { kind: 'open', connection: 'before', to: '10.96.0.70', port: podEchoPort } as const;
  expect(await lab.hold('p13', open)).toMatchObject(answer);
  const namesOf = async (to: string, tries: number): Promise<readonly string[]> => {
    const met = await lab.probe({ from: 'p13', to, port: 80, protocol: 'tcp', tries });
    return [...new Set(met.map((one) => (one.result === 'ok' ? one.name : one.result)))].toSorted();
  };
  const [sticky, ...others] = await namesOf('10.96.0.20', 6);
  expect(others).toEqual([]);

  const sluice = lab.startSluice({ manifests, proxyMode: 'nftables' });
  await sluice.inStep(manifestDigest(await readFile(manifests, 'utf8')));

  expect(await lab.hold('p13', { kind: 'ping', connection: 'before' })).toMatchObject(answer);
  expect(await namesOf('10.96.0.20', 20)).toEqual([sticky]);
  expect(await namesOf('10.96.0.10', 60)).toEqual(['p11', 'p12', 'p21']);
  const { stdout } = await lab.exec('n1', ['nft', '-j', 'list', 'chains']);
  const { nftables } = JSON.parse(stdout) as {
    nftables: readonly { readonly chain?: { readonly table: string; readonly name: string } }[];
  };
  const chains = nftables.flatMap(({ chain }) => (chain?.table === 'sluice' ? [chain.name] : []));
  // In 0.1 each Service and each endpoint with affinity had a chain.
  const old = /^(?:service|endpoint)-[A-Z2-7]{8}-/;
  expect(input.split(/\s/).filter((word) => old.test(word)).length).toBeGreaterThan(0);
  expect(chains.filter((name) => old.test(name))).toEqual([]);
  expect(chains).toContain('KUBE-SVC-tcp-3');
  await lab.hold('p13', { kind: 'close', connection: 'before' });
});
