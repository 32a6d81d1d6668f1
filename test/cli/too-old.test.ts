// A node whose kernel or tools are too old: the start ends with one line that names what is needed, and
// `sluice doctor` says the same.
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Finding } from '../../src/host/finding.ts';
import type { ProxyMode } from '../../src/model/config.ts';
import { manifest } from './services.ts';
import { standWith, type Stand } from './stand.ts';

const tools = {
  'nft 1.0.2': ['nft', 'nftables v1.0.2 (Lester Gooch)'],
  'iptables 1.8.2': ['iptables-nft', 'iptables v1.8.2 (nf_tables)'],
  'iptables 1.6.1': ['iptables-nft', 'iptables v1.6.1'],
} as const;

/** A program that says this version of itself, and otherwise is the one of this machine. */
async function pretend(stand: Stand, [tool, version]: readonly [string, string]): Promise<void> {
  for (const name of tool === 'iptables-nft' ? [tool, 'iptables'] : [tool]) {
    const path = join(stand.folder, name);
    const script = `#!/bin/sh\n[ "$1" = --version ] && { echo '${version}'; exit; }\n`;
    await writeFile(path, `${script}PATH=$(echo "$PATH" | sed 's/^[^:]*://') exec ${name} "$@"\n`);
    await chmod(path, 0o755);
  }
}

type Case = {
  readonly what: string;
  readonly mode: ProxyMode;
  readonly check: string;
  readonly line: RegExp;
  readonly tool?: keyof typeof tools;
  readonly before?: readonly string[];
};

const cases: readonly Case[] = [
  {
    what: 'a kernel before 5.10',
    mode: 'nftables',
    check: 'kernel',
    line: /^nftables mode needs Linux 5\.10 or newer; this is 2\.6\.\S+$/,
    // The kernel itself says so to whoever asks for it.
    before: ['setarch', '--uname-2.6'],
  },
  {
    what: 'nft 1.0.2',
    mode: 'nftables',
    check: 'nft',
    line: /^nftables mode needs nft 1\.0\.6 or newer; this is nft 1\.0\.2$/,
    tool: 'nft 1.0.2',
  },
  {
    what: 'iptables 1.8.2',
    mode: 'iptables',
    check: 'iptables',
    line: /^iptables 1\.8\.2 \(nf_tables\) loses rules; iptables mode needs 1\.8\.4 or newer$/,
    tool: 'iptables 1.8.2',
  },
  {
    what: 'iptables 1.6.1',
    mode: 'iptables',
    check: 'iptables',
    line: /^iptables mode needs iptables 1\.6\.2 or newer; this is iptables 1\.6\.1$/,
    tool: 'iptables 1.6.1',
  },
];

test.each(cases)('$what in $mode mode', async ({ mode, check, line, tool, before = [] }) => {
  const stand = await standWith(mode, manifest);
  await stand.exec('sysctl', ['-w', 'net.ipv4.ip_forward=1']);
  if (tool !== undefined) await pretend(stand, tools[tool]);
  const on = ['env', `PATH=${stand.folder}:${process.env['PATH']}`, ...before];
  const run = await stand.sluice(['run', ...stand.flags], on);
  const [message = '', ...more] = run.stderr.split('\n').flatMap((text) => textOf(text));
  expect({ exitCode: run.exitCode, more }).toEqual({ exitCode: 2, more: [] });
  expect(message).toMatch(line);
  const { stdout } = await stand.sluice(['doctor', '-o', 'json', '--proxy-mode', mode], on);
  const { findings } = JSON.parse(stdout) as { readonly findings: readonly Finding[] };
  const said = findings
    .filter((one) => one.status === 'fail')
    .map((one) => [one.check, one.finding]);
  expect(said).toEqual([[check, message]]);
});

// The line on the terminal, without the name of the program; nothing for the end of the text.
function textOf(line: string): readonly string[] {
  return line === '' ? [] : [line.replace(/^sluice: /, '')];
}
