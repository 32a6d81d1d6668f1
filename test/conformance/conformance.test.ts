// Every backend answers every case as kube-proxy 1.36 was seen to: real packets through a lab in which
// `sluice run` follows a manifest file. Needs root.
import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SluiceOptions } from '../../src/lab/sluice-process.ts';
import { debian13Nft } from '../support/debian-13.ts';
import { caseFolder, readCase } from './case.ts';
import { makeStand, type Stand } from './stand.ts';

/** What Sluice does already. */
const cases = [
  'clusterip-basic',
  'clusterip-multi-port',
  'clusterip-no-endpoints',
  'clusterip-unused-port',
  'even-spread',
  'hairpin-many',
  'hairpin-single',
  'ignored-services',
  'ipv6-only',
  'service-deleted',
  'terminating-beside-ready',
  'terminating-serving',
  'udp-basic',
  'udp-endpoint-removed',
  'unready-skipped',
] as const;

/** What it does not do yet, so that no case is forgotten. */
const casesToCome = [
  'affinity-clientip',
  'dual-stack',
  'external-ip',
  'external-ip-local',
  'health-check-node-port',
  'internal-local',
  'internal-local-none',
  'lb-cluster',
  'lb-ipmode-proxy',
  'lb-local',
  'lb-no-endpoints',
  'lb-source-ranges',
  'node-hints',
  'nodeport-cluster',
  'nodeport-local',
  'nodeport-local-none',
  'nodeport-localhost',
  'zone-hints',
  'zone-hints-incomplete',
] as const;

type Backend = {
  readonly name: string;
  readonly options: () => Promise<Omit<SluiceOptions, 'manifests'>>;
};

const backends: readonly Backend[] = [
  {
    name: "nftables in text, with this machine's nft",
    options: async () => ({ proxyMode: 'nftables', flags: ['--nft-input', 'text'] }),
  },
  {
    name: 'nftables in JSON, with the nft of Debian 13',
    options: async () => ({
      proxyMode: 'nftables',
      flags: ['--nft-input', 'json'],
      path: await debian13Nft(),
    }),
  },
  { name: 'iptables', options: async () => ({ proxyMode: 'iptables' }) },
];

// Downloads of a first run, and cases of many timeouts, are slow on a busy machine.
const standTimeoutMs = 120_000;
const caseTimeoutMs = 60_000;

test('every case file is on one of the lists', async () => {
  const files = await readdir(caseFolder);
  const listed = [...cases, ...casesToCome].map((name) => `${name}.yaml`);
  expect(files.toSorted()).toEqual(listed.toSorted());
});

describe.each(backends)('$name', ({ options }) => {
  let stand: Stand;
  beforeAll(async () => {
    stand = await makeStand(await options());
  }, standTimeoutMs);
  afterAll(() => stand?.close());

  test.each(cases)('%s', { timeout: caseTimeoutMs }, async (name) => {
    expect(await stand.run(await readCase(name))).toEqual([]);
  });
});
