// What a shell is offered, for words as the shells hand them in: bash takes `--flag=value` apart.
import { describe, expect, test } from 'vitest';
import { flagsOf } from '../../../../src/cli/commands/command.ts';
import { commands } from '../../../../src/cli/commands/table.ts';
import { completionLines } from '../../../../src/cli/completion/complete.ts';

/** The offered words, without what they do. */
function offered(...words: readonly string[]): readonly string[] {
  const lines = completionLines(words).split('\n').slice(0, -1);
  return lines.map((line) => line.split('\t')[0] ?? '');
}

const names = commands.map(({ name }) => name);

test.each<[words: string[], offered: readonly string[]]>([
  [[], names],
  [[''], names],
  [['di'], ['diff']],
  [['nothing'], []],
  [['--proxy-mode', 'iptables', 'di'], ['diff']],
  [['--proxy-mode=iptables', 'di'], ['diff']],
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
  [['diff', '--proxy-mode=ip'], ['--proxy-mode=iptables']],
  [
    ['diff', '--proxy_mode='],
    ['--proxy_mode=nftables', '--proxy_mode=iptables'],
  ],
  [
    ['diff', '-o', ''],
    ['text', 'json'],
  ],
  [['diff', '-o=j'], ['-o=json']],
  [['diff', '--rules', '--ag'], ['--against']],
  [['diff', '--rules', ''], []],
  [['diff', '--rules='], []],
  [['diff', '--nonsense='], []],
  [['diff', '--overl'], []],
  [['lab', '--overl'], ['--overlay']],
  [['lab', '--overlay', 'v'], ['vxlan']],
  [['--dry'], ['--dry-run']],
  [['--init'], []],
  [['diff', '--cluster-cidr', ''], []],
  [['diff', ''], []],
  [['diff', '--manifests', 'a'], [':files']],
  [['--config', '=', 'ap'], [':files']],
  [['--config=ap'], [':files']],
  [['replay', ''], [':files']],
  [['replay', 'record.json', ''], []],
  [
    ['completion', ''],
    ['bash', 'zsh', 'fish'],
  ],
  [['completion', 'bash', ''], []],
  [['completion', '--color', 'never', 'z'], ['zsh']],
  [['help', 'doc'], ['doctor']],
  [['explain', 'node', '--', '-'], []],
])('%j', (words, expected) => {
  expect(offered(...words)).toEqual(expected);
});

describe.each(commands)('$name', (command) => {
  test('is offered with all of its flags, and no others', () => {
    const spelled = flagsOf(command)
      .filter(({ effect }) => effect !== 'refused')
      .flatMap(({ name, short }) => [
        ...(name === short ? [] : [`--${name}`]),
        ...(short === undefined ? [] : [`-${short}`]),
      ]);
    expect(offered(command.name, '-')).toEqual(spelled);
  });
});

test('each is offered with what it does', () => {
  expect(completionLines(['dif'])).toBe('diff\tshows what run would change, Service by Service\n');
  expect(completionLines(['lab', '--k'])).toBe('--keep\tkeep the lab running until Ctrl-C\n');
});
