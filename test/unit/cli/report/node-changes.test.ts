// What a start changes besides the rules of its own mode, in words and for programs, in both modes.
import { expect, test } from 'vitest';
import { commandLine } from '../../../support/command-line.ts';
import { flagsFor, modes } from '../../../support/network-namespace.ts';
import { nodeInMemory } from '../../../support/node-in-memory.ts';
import { manifestOf } from '../../../support/service-objects.ts';

const stdin = manifestOf([{ name: 'web', ip: '10.96.0.10', endpoints: ['10.244.2.11'] }]);
const localnet = 'net.ipv4.conf.all.route_localnet';
const established = 'net.netfilter.nf_conntrack_tcp_timeout_established';

/** What is there of each mode, and what a start in the other one sets. */
const there = {
  nftables: {
    settings: [{ name: localnet, before: '0', after: '1', words: `setting ${localnet}: 0 -> 1` }],
  },
  iptables: { settings: [] },
} as const;

test.each(modes)('our rules of %s mode, and settings', async (mode) => {
  const { exec, files } = nodeInMemory();
  const file = '/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_established';
  const before = ['--manifests', '-', ...flagsFor(mode)];
  await commandLine(['takeover', '--before-file', '/nowhere', ...before], { exec, stdin });
  files.set(file, '432000');
  const other = modes.find((one) => one !== mode) ?? mode;
  const flags = ['diff', '--manifests', '-', ...flagsFor(other)];
  const { stdout } = await commandLine(flags, { exec, stdin });
  const lines = stdout
    .split('\n')
    .filter((line) => /^[-~+] (rules of|setting|file|default)/.test(line));
  expect(lines).toMatchObject([
    '~ default/web: rules change, addresses and endpoints stay',
    expect.stringMatching(new RegExp(`^- rules of Sluice in ${mode} mode: removed \\(IPv4: `)),
    `~ setting ${established}: 432000 -> 86400`,
    ...there[mode].settings.map(({ words }) => `~ ${words}`),
  ]);
  const json = await commandLine([...flags, '-o', 'json'], { exec, stdin });
  expect(JSON.parse(json.stdout)).toMatchObject({
    inStep: false,
    services: [],
    node: {
      rulesets: [
        { of: `Sluice in ${mode} mode`, family: 'IPv4' },
        { of: `Sluice in ${mode} mode`, family: 'IPv6' },
      ],
      settings: [{ name: established, before: '432000', after: '86400' }, ...there[mode].settings],
      files: [],
    },
  });
  const shown = (await commandLine([...flags, '--rules'], { exec, stdin })).stdout;
  expect(shown).toContain(`rules of Sluice in ${mode} mode\n  - IPv4 `);
});
