import { expect, test } from 'vitest';
import { probeTools } from '../../../src/backends/iptables/probe.ts';
import { MissingToolError } from '../../../src/errors.ts';
import type { Exec } from '../../../src/host/exec.ts';

/** A machine with this iptables, where -S of each family ends as told. */
function machine(version: string, results: { readonly [tool: string]: string | Error }): Exec {
  return (file, args) => {
    const answer = (stdout: string, stderr: string) =>
      Promise.resolve({ stdout, stderr, exitCode: stderr === '' ? 0 : 3 });
    if (args[0] === '--version') return answer(`${file} ${version}\n`, '');
    expect(args).toEqual(['-w', '5', '-t', 'nat', '-S', 'POSTROUTING']);
    const result = results[file];
    return result instanceof Error ? Promise.reject(result) : answer('', result ?? '');
  };
}

test.each([
  ['v1.8.9 (nf_tables)', 'iptables 1.8.9 (nf_tables)', 'nf_tables'],
  ['v1.8.11 (legacy)', 'iptables 1.8.11 (legacy)', 'legacy'],
  ['v1.6.2', 'iptables 1.6.2 (legacy)', 'legacy'],
])('%s serves both families', async (version, finding, variant) => {
  expect(await probeTools(machine(version, {}))).toEqual({
    families: ['IPv4', 'IPv6'],
    findings: [finding],
    variant,
  });
});

test.each([
  [
    'the kernel has it not',
    "can't initialize ip6tables table `nat'\nPerhaps …",
    "can't initialize ip6tables table `nat'",
  ],
  [
    'the tool is missing',
    new MissingToolError('ip6tables', 'apt-get install -y iptables'),
    'ip6tables is not installed; install it with: apt-get install -y iptables',
  ],
])('a family is left out where %s', async (_, ip6tables, reason) => {
  const { families, findings } = await probeTools(machine('v1.8.9 (nf_tables)', { ip6tables }));
  expect(families).toEqual(['IPv4']);
  expect(findings[1]).toBe(`IPv6 cannot be programmed: ${reason}`);
});

test.each([
  ['it is too old', machine('v1.6.1', {}), 'iptables 1.6.1 is too old: 1.6.2 or newer is needed'],
  ['it says nothing of itself', machine('', {}), 'iptables --version says iptables'],
  [
    'no family works',
    machine('v1.8.9 (nf_tables)', {
      iptables: 'Permission denied',
      ip6tables: 'Permission denied',
    }),
    'IPv4 cannot be programmed: Permission denied; IPv6 cannot be programmed: Permission denied',
  ],
])('the probe fails where %s', async (_, exec, message) => {
  await expect(probeTools(exec)).rejects.toThrow(message);
});
