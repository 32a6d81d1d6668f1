// The completion scripts of a small table, as they are, and of the real one, whole.
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bashScript } from '../../../../src/cli/completion/bash.ts';
import { commandTable } from '../../../../src/cli/completion/completion.ts';
import { fishScript } from '../../../../src/cli/completion/fish.ts';
import type { Table } from '../../../../src/cli/completion/table.ts';
import { spellings } from '../../../../src/cli/completion/table.ts';
import { zshScript } from '../../../../src/cli/completion/zsh.ts';
import { commands } from '../../../../src/cli/arguments/flag.ts';
import { flags } from '../../../../src/cli/arguments/flags.ts';

const small: Table = {
  commands: [
    { name: 'run', summary: "keeps this node's rules in step", operands: [] },
    { name: 'completion', summary: 'prints this', operands: ['bash', 'zsh'] },
  ],
  flags: [
    {
      name: 'config',
      letter: undefined,
      help: "a file [of kube-proxy's]",
      commands: ['run'],
      value: { kind: 'file' },
    },
    {
      name: 'output',
      letter: 'o',
      help: 'the form: text or json',
      commands: ['run', 'completion'],
      value: { kind: 'choices', choices: ['text', 'json'] },
    },
    {
      name: undefined,
      letter: 'v',
      help: 'how much is logged',
      commands: ['run', 'completion'],
      value: { kind: 'any' },
    },
    {
      name: 'dry-run',
      letter: undefined,
      help: 'changes nothing',
      commands: ['run'],
      value: { kind: 'none' },
    },
  ],
};

describe.each([
  ['bash', bashScript],
  ['zsh', zshScript],
  ['fish', fishScript],
] as const)('%s', (shell, script) => {
  test('of a small table', async () => {
    await expect(script(small)).toMatchFileSnapshot(join(import.meta.dirname, `small.${shell}`));
  });

  test('of the real one names every command and flag', () => {
    const table = commandTable();
    const text = script(table);
    expect(commands.filter((name) => !new RegExp(`\\b${name}\\b`).test(text))).toEqual([]);
    const names = table.flags.flatMap(({ name = [], letter = [] }) => [name, letter].flat());
    expect(names.filter((name) => !new RegExp(`[- ]${name}\\b`).test(text))).toEqual([]);
  });
});

test('the table has all that there is but what is refused anyway', () => {
  const { flags: completed, commands: known } = commandTable();
  expect(known.map(({ name }) => name)).toEqual([...commands]);
  const expected = flags
    .filter(({ effect }) => effect !== 'refused')
    .map(({ name, short }) => [`-${name === short ? '' : '-'}${name}`, short]);
  expect(completed.map((flag) => [spellings(flag)[0], flag.letter])).toEqual(expected);
  const valueOf = (wanted: string) => completed.find(({ name }) => name === wanted)?.value;
  expect(valueOf('proxy-mode')).toEqual({ kind: 'choices', choices: ['nftables', 'iptables'] });
  for (const name of ['manifests', 'against', 'config', 'kubeconfig', 'before-file']) {
    expect(valueOf(name)).toEqual({ kind: 'file' });
  }
  expect(valueOf('dry-run')).toEqual({ kind: 'none' });
  expect(valueOf('cluster-cidr')).toEqual({ kind: 'any' });
});
