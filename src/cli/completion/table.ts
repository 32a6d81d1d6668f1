// What a completion script is made of: commands and flags, without anything that only parsing needs.

/** What a flag's value can be; `any`: nobody can say. */
export type CompletedValue =
  | { readonly kind: 'none' | 'file' | 'any' }
  | { readonly kind: 'choices'; readonly choices: readonly string[] };

/** A flag, without the dashes. */
export type CompletedFlag = {
  /** Undefined where it has but a letter. */
  readonly name: string | undefined;
  readonly letter: string | undefined;
  readonly help: string;
  /** Names of the commands that take it. */
  readonly commands: readonly string[];
  readonly value: CompletedValue;
};

/** A command, and what its first word can be. */
export type CompletedCommand = {
  readonly name: string;
  readonly summary: string;
  readonly operands: readonly string[];
};

export type Table = {
  readonly commands: readonly CompletedCommand[];
  readonly flags: readonly CompletedFlag[];
};

/** The command that flags without one mean. */
export const impliedCommand = 'run';

/** The flags of one command. */
export function flagsFor({ flags }: Table, command: string): readonly CompletedFlag[] {
  return flags.filter(({ commands }) => commands.includes(command));
}

/** As they are typed: `--output`, `-o`. */
export function spellings({ name, letter }: CompletedFlag): readonly string[] {
  return [
    ...(name === undefined ? [] : [`--${name}`]),
    ...(letter === undefined ? [] : [`-${letter}`]),
  ];
}

/** Text in single quotes for a shell. */
export function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
