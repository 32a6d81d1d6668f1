// The completion script for fish: a line for each command, and for each flag. Pure.
import type { CompletedFlag, Table } from './table.ts';
import { impliedCommand, shellQuoted } from './table.ts';

/** The script, to be sourced. */
export function fishScript({ commands, flags }: Table): string {
  const names = commands.map(({ name }) => name).join(' ');
  const isNone = `not __fish_seen_subcommand_from ${names}`;
  const lines = [
    '# fish completion for sluice: sluice completion fish | source',
    'complete -c sluice -f',
    ...commands.map(
      ({ name, summary }) =>
        `complete -c sluice -n ${quoted(isNone)} -a ${name} -d ${quoted(summary)}`,
    ),
    ...commands
      .filter(({ operands }) => operands.length > 0)
      .map(({ name, operands }) => {
        const seen = `__fish_seen_subcommand_from ${name}`;
        return `complete -c sluice -n ${quoted(seen)} -a ${quoted(operands.join(' '))}`;
      }),
    ...flags.map((flag) => flagLine(flag, isNone)),
  ];
  return `${lines.join('\n')}\n`;
}

function flagLine({ name, letter, help, commands, value }: CompletedFlag, isNone: string): string {
  const seen = `__fish_seen_subcommand_from ${commands.join(' ')}`;
  // Without a command, flags are those of run.
  const when = commands.includes(impliedCommand) ? `${seen}; or ${isNone}` : seen;
  const words = [
    `complete -c sluice -n ${quoted(when)}`,
    ...(name === undefined ? [] : [`-l ${name}`]),
    ...(letter === undefined ? [] : [`-s ${letter}`]),
    ...valueWords(value),
    `-d ${quoted(help)}`,
  ];
  return words.join(' ');
}

function valueWords(value: CompletedFlag['value']): readonly string[] {
  switch (value.kind) {
    case 'none':
      return [];
    case 'file':
      return ['-r -F'];
    case 'any':
      return ['-x'];
    case 'choices':
      return [`-x -a ${quoted(value.choices.join(' '))}`];
    default:
      return value satisfies never;
  }
}

// fish has its own escapes in single quotes.
function quoted(text: string): string {
  return shellQuoted(text).replaceAll("'\\''", "\\'");
}
