// Whole command lines in process: those that need neither a kernel nor a daemon.
import { expect, test } from 'vitest';
import { commands } from '../../../src/cli/commands/table.ts';
import { helpText, optionsText, overview } from '../../../src/cli/help/help.ts';
import { commandLine } from '../../support/command-line.ts';

/** All that a command line does. */
async function outcome(...argv: readonly string[]) {
  const colours: string[] = [];
  const done = await commandLine(argv, { setColour: (colour) => colours.push(colour) });
  return { ...done, colours };
}

const well = { exitCode: 0, stderr: '', colours: ['auto'] };

test.each<[argv: string[], stdout: string]>([
  [[], overview(commands)],
  [['help', 'help'], overview(commands)],
  ...commands
    .filter(({ name }) => name !== 'help')
    .map((command): [string[], string] => [[command.name, '-h'], helpText(command)]),
  [['help', 'diff'], helpText(commands[1] as (typeof commands)[number])],
  [['options'], optionsText(commands)],
  [['version'], 'sluice 1.2.3\n'],
  [['--version'], 'sluice 1.2.3\n'],
])('%j', async (argv, stdout) => {
  expect(await outcome(...argv)).toEqual({ ...well, stdout });
});

test('--color counts before anything is printed, and a flag without effect is warned of', async () => {
  const manifests = 'test/fixtures/none.yaml';
  expect(await outcome('render', '--color=never', '--profiling', '--manifests', manifests)).toEqual(
    {
      exitCode: 2,
      stdout: '',
      stderr: `sluice: warning: --profiling has no effect yet (serves profiles next to the metrics)
sluice: ${manifests}: no such file or folder
`,
      colours: ['never'],
    },
  );
});

const noCluster =
  'no --kubeconfig or --master is given, and this is no pod: it has no /var/run/secrets/kubernetes.io/serviceaccount/token';

test('faults are lines on standard error', async () => {
  expect(await outcome('dif', '-v', 'two')).toEqual({
    exitCode: 2,
    stdout: '',
    stderr: `sluice: unknown command "dif"; did you mean diff?\nsluice: --v: "two" is not a whole number\n`,
    colours: [],
  });
  expect(await outcome('diff')).toEqual({
    exitCode: 2,
    stdout: '',
    stderr: `sluice: no --manifests is given, and no daemon answers on this node; ${noCluster}\n`,
    colours: ['auto'],
  });
});

test('what a shell asks for, whatever stands in it', async () => {
  const asked = await outcome('__complete', '--nonsense', 'diff', '--agai');
  expect(asked).toEqual({ exitCode: 0, stdout: '', stderr: '', colours: [] });
});
