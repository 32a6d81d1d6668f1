// The reference of all commands and flags (docs/reference.md), written from the table of commands.
import type { Flag } from '../arguments/flag.ts';
import { deciding, everywhere, flagsNamed } from '../arguments/flags.ts';
import type { Command } from '../commands/command.ts';
import { usageOf, usualValue, valueName } from './help.ts';

/** The page, in Markdown. */
export function referenceText(commands: readonly Command[]): string {
  const overview = commands.map(({ name, summary }) => [`[${name}](#sluice-${name})`, summary]);
  const byEffect = (wanted: string) =>
    deciding.filter(({ effect = 'obeyed' }) => effect === wanted);
  return [
    '# Commands and flags',
    'Made from the table of commands by `npm run docs`; do not edit it.',
    '`sluice [COMMAND] [FLAG...]`; flags without a command mean `run`. Flags are written as in kube-proxy: `--flag=value` or `--flag value`.',
    table(['command', 'what it does'], overview),
    ...commands.flatMap(commandSections),
    '## Flags of every command',
    flagTable(everywhere),
    '## Flags of the configuration',
    `Flags of the commands that decide about Services: ${takers(commands)}. With \`--config\` the file counts instead of kube-proxy's flags.`,
    flagTable(byEffect('obeyed')),
    '### Accepted, without effect yet',
    flagTable(byEffect('accepted')),
    '### Refused',
    flagTable(byEffect('refused')),
  ]
    .join('\n\n')
    .concat('\n');
}

function takers(commands: readonly Command[]): string {
  const names = commands.filter(({ decides }) => decides).map(({ name }) => `\`${name}\``);
  return names.join(', ');
}

function commandSections(command: Command): readonly string[] {
  const { name, summary, details = '', flags, decides, examples = [], exitCodes } = command;
  const codes = Object.entries(exitCodes).map(([code, meaning]) => `- \`${code}\`: ${meaning}`);
  const lines = examples.map(([line, does]) => (does === undefined ? line : `${line}  # ${does}`));
  const more =
    decides === true
      ? ['It also takes the [flags of the configuration](#flags-of-the-configuration).']
      : [];
  return [
    `## sluice ${name}`,
    `\`${usageOf(command).replace('Usage: ', '')}\``,
    `${name} ${summary}. ${details}`.trim(),
    ...(flags.length === 0 ? [] : [flagTable(flagsNamed(flags))]),
    ...more,
    ...(lines.length === 0 ? [] : [`\`\`\`sh\n${lines.join('\n')}\n\`\`\``]),
    'Exit codes:',
    codes.join('\n'),
  ];
}

function flagTable(flags: readonly Flag[]): string {
  return table(['flag', 'default', 'what it does'], flags.map(flagRow));
}

function flagRow(flag: Flag): readonly string[] {
  const { name, short, help } = flag;
  const names = [
    ...(short === undefined ? [] : [`-${short}`]),
    ...(name === short ? [] : [`--${name}`]),
  ];
  const usual = usualValue(flag);
  const spelled = `${names.join(', ')} ${valueName(flag)}`.trim();
  return [`\`${spelled}\``, usual === '' ? '' : `\`${usual}\``, help];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
