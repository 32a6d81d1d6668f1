// `sluice completion SHELL`: a script by which a shell completes commands, flags and their values. All it
// knows comes from the table of flags, as the help does.
import { quoted } from '../../cluster/problem.ts';
import { UsageError } from '../../errors.ts';
import { commands, operands } from '../arguments/flag.ts';
import { flags } from '../arguments/flags.ts';
import { summaries } from '../help/help.ts';
import type { Io } from '../io.ts';
import { exitCodes } from '../io.ts';
import { bashScript } from './bash.ts';
import { fishScript } from './fish.ts';
import type { CompletedFlag, Table } from './table.ts';
import { zshScript } from './zsh.ts';

const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;

/** The shells there are scripts for. */
export type Shell = keyof typeof scripts;

/** Prints the script for one shell. */
export function completionCommand(shell: string, { stdout }: Io): number {
  if (!isShell(shell)) {
    const known = Object.keys(scripts).join(', ');
    throw new UsageError(`completion: ${quoted(shell)} is none of ${known}`);
  }
  stdout.write(scripts[shell](commandTable()));
  return exitCodes.same;
}

function isShell(name: string): name is Shell {
  return Object.hasOwn(scripts, name);
}

/** All commands and flags, as the scripts take them. */
export function commandTable(): Table {
  return {
    commands: commands.map((name) => ({
      name,
      summary: summaries[name],
      operands: name === 'help' ? [...commands] : choicesIn(operands[name]?.[0]),
    })),
    // What only says that it is not supported is not to be typed.
    flags: flags.filter(({ effect }) => effect !== 'refused').map(completedFlag),
  };
}

/** `bash|zsh|fish` names all that the operand can be; `FROM` names none. */
function choicesIn(operand = ''): readonly string[] {
  return /^[a-z]+(\|[a-z]+)+$/.test(operand) ? operand.split('|') : [];
}

function completedFlag(flag: (typeof flags)[number]): CompletedFlag {
  const { name, short, help, choices, kind, placeholder = '' } = flag;
  const isFile = /FILE|PATH/.test(placeholder) || name.endsWith('-file');
  const value = isFile ? { kind: 'file' as const } : { kind: 'any' as const };
  return {
    // One that has but a letter is typed with one dash.
    name: name === short ? undefined : name,
    letter: short,
    help,
    commands: flag.commands,
    value:
      kind === 'bool'
        ? { kind: 'none' }
        : choices === undefined
          ? value
          : { kind: 'choices', choices },
  };
}
