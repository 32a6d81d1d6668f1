// `sluice completion` in a real bash, and read by every other shell that is installed.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commands } from '../../src/cli/arguments/flag.ts';
import { flagsOf } from '../../src/cli/arguments/flags.ts';

const sluice = join(import.meta.dirname, '../../bin/sluice');
let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-completion-'));
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { stdout } = await execa(sluice, ['completion', shell]);
    await writeFile(join(folder, shell), `${stdout}\n`);
  }
  await writeFile(join(folder, 'a file.yaml'), '');
  await writeFile(join(folder, 'apart.yaml'), '');
});
afterAll(() => rm(folder, { recursive: true }));

// What the shell itself does when Tab is pressed, with the words as it takes them apart.
const pressTab = `source "$1"; shift
compopt() { :; }
COMP_WORDS=(sluice "$@") COMP_CWORD=$#
$(complete -p sluice | sed 's/.*-F \\([^ ]*\\).*/\\1/') sluice
printf '%s\\n' "\${COMPREPLY[@]}"`;

/** What bash offers for the last of these words. */
async function offered(...words: readonly string[]): Promise<readonly string[]> {
  const args = ['--norc', '-c', pressTab, 'bash', join(folder, 'bash'), ...words];
  const { stdout } = await execa('bash', args, { cwd: folder });
  return stdout === '' ? [] : stdout.split('\n');
}

describe('bash', () => {
  test.each<[words: string[], offered: string[]]>([
    [[''], [...commands]],
    [['di'], ['diff']],
    [['--proxy-mode', 'iptables', 'di'], ['diff']],
    [['--proxy-mode', '=', 'iptables', 'di'], ['diff']],
    [['--manifests', 'diff', 'ren'], ['render']],
    [
      ['diff', '--proxy-mode', ''],
      ['nftables', 'iptables'],
    ],
    [
      ['diff', '--proxy-mode', '='],
      ['nftables', 'iptables'],
    ],
    [['diff', '--proxy-mode', '=', 'ip'], ['iptables']],
    [
      ['diff', '-o', ''],
      ['text', 'json'],
    ],
    [['diff', '--rules', '--ag'], ['--against']],
    [['diff', '--overl'], []],
    [['lab', '--overl'], ['--overlay']],
    [['lab', '--overlay', 'v'], ['vxlan']],
    [['--dry'], ['--dry-run']],
    [['diff', '--cluster-cidr', ''], []],
    [['diff', ''], []],
    [
      ['diff', '--manifests', 'a'],
      ['a file.yaml', 'apart.yaml'],
    ],
    [['--config', '=', 'ap'], ['apart.yaml']],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
    [['completion', 'bash', ''], []],
    [['help', 'doc'], ['doctor']],
  ])('%j', async (words, expected) => {
    const found = await offered(...words);
    expect(found.toSorted()).toEqual(expected.toSorted());
  });

  test.each(commands)('all flags of %s, and no others', async (command) => {
    const taken = flagsOf(command).filter(({ effect }) => effect !== 'refused');
    const spelled = taken.flatMap(({ name, short }) => [
      ...(name === short ? [] : [`--${name}`]),
      ...(short === undefined ? [] : [`-${short}`]),
    ]);
    expect((await offered(command, '-')).toSorted()).toEqual(spelled.toSorted());
  });
});

test('bash, and whichever other shell is installed, can read its script', async () => {
  const read: string[] = [];
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { failed, code, stderr } = await execa(shell, ['-n', join(folder, shell)], {
      reject: false,
    });
    if (code === 'ENOENT') continue;
    expect({ shell, failed, stderr }).toEqual({ shell, failed: false, stderr: '' });
    read.push(shell);
  }
  expect(read).toContain('bash');
});

test('of a shell that is not known', async () => {
  const of = async (...args: string[]) => {
    const { exitCode, stdout, stderr } = await execa(sluice, args, { reject: false });
    return { exitCode, stdout, stderr };
  };
  expect(await of('completion', 'csh')).toEqual({
    exitCode: 2,
    stdout: '',
    stderr: 'sluice: completion: "csh" is none of bash, zsh, fish',
  });
  expect(await of('completion')).toEqual({
    exitCode: 2,
    stdout: '',
    stderr: 'sluice: completion needs bash|zsh|fish',
  });
});
