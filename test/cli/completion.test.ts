// `sluice completion` in real shells: bash, zsh and fish.
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { execOnHost } from '../../src/host/tools/exec.ts';
import { ensureTools } from '../../src/host/tools/install.ts';

const sluice = join(import.meta.dirname, '../../bin/sluice');
let folder = '';

beforeAll(async () => {
  await ensureTools(['zsh', 'fish'], { exec: execOnHost, stderr: process.stderr });
  folder = await mkdtemp(join(tmpdir(), 'sluice-completion-'));
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { stdout } = await execa(sluice, ['completion', shell]);
    await writeFile(join(folder, `stub.${shell}`), `${stdout}\n`);
  }
  // Says what it was called with, but for completion.
  const body = `#!/bin/sh
[ "$1" = __complete ] && exec "${sluice}" "$@"
printf 'called:'; printf ' <%s>' "$@"; echo ' END'\n`;
  await writeFile(join(folder, 'sluice'), body);
  await chmod(join(folder, 'sluice'), 0o755);
  for (const name of ['one file.yaml', 'other.yaml']) await writeFile(join(folder, name), '');
});
afterAll(() => rm(folder, { recursive: true }));

/** What a shell prints, run in the folder with our sluice. */
async function said(shell: string, ...args: readonly string[]): Promise<string> {
  const { stdout, failed, stderr } = await execa(shell, args, {
    cwd: folder,
    env: { PATH: `${folder}:${process.env['PATH']}`, HOME: folder, XDG_CONFIG_HOME: folder },
    reject: false,
  });
  expect({ failed, stderr }).toEqual({ failed: false, stderr: '' });
  return stdout;
}

// What bash itself does when Tab is pressed, with the words as it takes them apart.
const bashTab = `source stub.bash
compopt() { :; }
COMP_WORDS=(sluice "$@") COMP_CWORD=$#
$(complete -p sluice | sed 's/.*-F \\([^ ]*\\).*/\\1/') sluice
printf '%s\\n' "\${COMPREPLY[@]}"`;

test.each<[words: string[], offered: string[]]>([
  [['di'], ['diff']],
  [
    ['diff', '--proxy-mode', '='],
    ['nftables', 'iptables'],
  ],
  [['diff', '--proxy-mode', '=', 'ip'], ['iptables']],
  [
    ['diff', '-o', ''],
    ['text', 'json'],
  ],
  [
    ['diff', '--against', 'o'],
    ['one file.yaml', 'other.yaml'],
  ],
  [['--config', '=', 'ot'], ['other.yaml']],
  [
    ['diff', '--config', '='],
    ['one file.yaml', 'other.yaml', 'sluice', 'stub.bash', 'stub.fish', 'stub.zsh'],
  ],
  [['completion', 'bash', ''], ['']],
])('bash: %j', async (words, expected) => {
  const text = await said('bash', '--norc', '-c', bashTab, 'bash', ...words);
  expect(text.split('\n').toSorted()).toEqual(expected.toSorted());
});

// Types the line into a zsh of its own, as a person does, and waits for what the line became.
const zshTab = `zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell 'PS1= RPS1= ; unsetopt zle_bracketed_paste; autoload -Uz compinit; compinit -D -u; source stub.zsh; print READ''Y'
zpty -r -m shell text '*READY*'
zpty -w shell "$1"$'\\t'
zpty -r -m shell text '*called:*END*'
print -r -- "\${text//$'\\r'/}"
zpty -d shell`;

test.each<[line: string, called: string]>([
  ['sluice dif', '<diff>'],
  ['sluice diff --proxy-mode ip', '<diff> <--proxy-mode> <iptables>'],
  ['sluice diff --proxy-mode=ip', '<diff> <--proxy-mode=iptables>'],
  ['sluice lab --overl', '<lab> <--overlay>'],
  ['sluice diff --against on', '<diff> <--against> <one file.yaml>'],
  ['sluice diff --against=ot', '<diff> <--against=other.yaml>'],
  ['sluice completion ba', '<completion> <bash>'],
  ['sluice completion bash ', '<completion> <bash>'],
])('zsh: %j', async (line, called) => {
  const text = await said('zsh', '-f', '-c', zshTab, 'zsh', line);
  expect(/called: (.*) END/.exec(text)?.[1]).toBe(called);
});

const fishTab = 'source stub.fish; complete -C $argv[1]';

test.each<[line: string, offered: string[]]>([
  ['sluice dif', ['diff\tshows what run would change, Service by Service']],
  ['sluice diff --proxy-mode ', ['iptables', 'nftables']],
  ['sluice diff --proxy-mode=ip', ['--proxy-mode=iptables']],
  ['sluice lab --ke', ['--keep\tkeep the lab running until Ctrl-C']],
  ['sluice diff --against o', ['one file.yaml', 'other.yaml']],
  ['sluice diff --against=ot', ['--against=other.yaml']],
  ['sluice completion bash ', []],
])('fish: %j', async (line, expected) => {
  const text = await said('fish', '--no-config', '-c', fishTab, line);
  expect(text === '' ? [] : text.split('\n').toSorted()).toEqual(expected);
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
