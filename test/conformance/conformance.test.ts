// Every backend answers every case as kube-proxy 1.36 was seen to: real packets through a lab in which
// `sluice run` follows a manifest file. Needs root.
import { globSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { debianTools } from '../support/debian-tools.ts';
import { caseFolder, readCase, unrecordedFolder } from './case.ts';
import { type Command, makeStand, type Stand, type StandOptions } from './stand.ts';

function casesIn(folder: URL): readonly string[] {
  return globSync('*.yaml', { cwd: fileURLToPath(folder) })
    .map((file) => file.replace(/\.yaml$/, ''))
    .toSorted();
}

const cases = casesIn(caseFolder);

type Backend = {
  readonly name: string;
  readonly options: () => Promise<StandOptions>;
  /** What is done on the node before. */
  readonly before?: readonly Command[];
  /** What the log says where this is what serves. */
  readonly finding: RegExp;
};

const backends: readonly Backend[] = [
  {
    name: "nftables in text, with this machine's nft",
    options: async () => ({ proxyMode: 'nftables', flags: ['--nft-input', 'text'] }),
    finding: /nft [0-9.]+, text input/,
  },
  {
    name: 'nftables in JSON, with the nft of Debian 13',
    options: async () => ({
      proxyMode: 'nftables',
      flags: ['--nft-input', 'json'],
      path: await debianTools('trixie'),
    }),
    finding: /nft 1\.1\.\d+, JSON input/,
  },
  {
    name: 'iptables',
    options: async () => ({ proxyMode: 'iptables' }),
    finding: /iptables [0-9.]+ \(nf_tables\)/,
  },
  {
    name: 'iptables, the legacy one that the kubelet uses',
    options: async () => ({ proxyMode: 'iptables' }),
    before: [['iptables-legacy', '-t', 'mangle', '-N', 'KUBE-IPTABLES-HINT']],
    finding: /iptables [0-9.]+ \(legacy\)/,
  },
];

// Downloads of a first run, and cases of many timeouts, are slow on a busy machine.
const standTimeoutMs = 120_000;
const caseTimeoutMs = 60_000;

test('all cases are here', () => expect(cases).toHaveLength(34));

describe.each(backends)('$name', ({ options, before, finding }) => {
  let stand: Stand | undefined;
  beforeAll(async () => {
    stand = await makeStand(await options(), before);
  }, standTimeoutMs);
  afterAll(() => stand?.close());

  test('is what serves', () => expect(stand?.log.join('\n')).toMatch(finding));

  test.each(cases)('%s', { timeout: caseTimeoutMs }, async (name) => {
    expect(await stand?.run(await readCase(name))).toEqual([]);
  });

  test.each(casesIn(unrecordedFolder))('%s', { timeout: caseTimeoutMs }, async (name) => {
    expect(await stand?.run(await readCase(name, unrecordedFolder))).toEqual([]);
  });
});
