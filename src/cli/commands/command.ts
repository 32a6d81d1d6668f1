// What a command is: all that the parser, the help, the completion and the reference say of it comes from
// its one entry, and the entry says how it runs.
import type { CommandLine, LoadedConfig } from '../../config/load-config.ts';
import { UsageError } from '../../errors.ts';
import type { Exec } from '../../host/tools/exec.ts';
import type { Config } from '../../model/config.ts';
import type { Flag } from '../arguments/flag.ts';
import {
  deciding,
  everywhere,
  flagsNamed,
  type FlagName,
  type FlagValues,
} from '../arguments/flags.ts';
import type { Complaints } from '../complaints.ts';
import type { Io } from '../io.ts';

/** A word that a command takes besides flags. */
export type Operand = {
  /** As the help names it: `FROM`. */
  readonly name: string;
  readonly isOptional?: true;
  /** What it can be; undefined where nobody can say. */
  readonly choices?: readonly string[] | 'files' | 'commands';
};

/** A command line, and what there is to say of it. */
export type Example = readonly [line: string, does?: string];

/** One command; `Taken` are the names of its own flags. */
export type Command<Taken extends FlagName = FlagName> = {
  readonly name: string;
  /** What it does, in a line that begins with a verb. */
  readonly summary: string;
  /** What else there is to know, in whole sentences. */
  readonly details?: string;
  /** In the order in which they are given. */
  readonly operands?: readonly Operand[];
  /** Its own flags, in the order in which the help lists them. */
  readonly flags: readonly Taken[];
  /** It decides about Services: it takes all flags of kube-proxy, too. */
  readonly decides?: true;
  readonly examples?: readonly Example[];
  /** What each exit code means. */
  readonly exitCodes: Readonly<Record<number, string>>;
  /** Runs it, and loads what it runs only then: the daemon has no memory to spare for the others. */
  readonly run: (call: Call<Pick<FlagValues, Taken>>) => number | Promise<number>;
};

/** What runs: Sluice itself, and where. */
export type Program = {
  readonly version: string;
  readonly nodeVersion: string;
  readonly hostname: string;
};

/** One call of a command. */
export type Call<Values = FlagValues> = {
  readonly values: Values;
  /** As many words as its operands, except for optional ones. */
  readonly operands: readonly string[];
  /** What was given of all flags, for the configuration. */
  readonly line: CommandLine;
  readonly exec: Exec;
  readonly io: Io;
  readonly complaints: Complaints;
  readonly program: Program;
  /** All there are. */
  readonly commands: readonly Command[];
};

/** An entry of the table: what it runs may only ask for the flags that it takes. */
export function command<Taken extends FlagName>(entry: Command<Taken>): Command {
  return entry;
}

/** All flags that a command takes, its own first. */
export function flagsOf({ flags, decides }: Command): readonly Flag[] {
  return [...flagsNamed(flags), ...(decides === true ? deciding : []), ...everywhere];
}

/** Loads the configuration that a call asks for; says on standard error what has no effect. */
export async function loaded({ line, complaints }: Call<unknown>): Promise<LoadedConfig> {
  const { loadConfig } = await import('../../config/load-config.ts');
  const config = await loadConfig(line);
  for (const warning of config.warnings) complaints.warn(warning);
  return config;
}

/** The Config alone. */
export async function configOf(call: Call<unknown>): Promise<Config> {
  return (await loaded(call)).config;
}

/** The same for who compares with what is there: says too what is not as kube-proxy would have it. */
export async function notedConfigOf(call: Call<unknown>): Promise<Config> {
  const { config, notes } = await loaded(call);
  for (const note of notes) call.io.stderr.write(`sluice: ${note}\n`);
  return config;
}

/** The path that --manifests names; throws UsageError where it names none. */
export function manifestsOf({ manifests }: Pick<FlagValues, 'manifests'>): string {
  if (manifests !== undefined) return manifests;
  throw new UsageError('--manifests PATH is required: a file or folder of Kubernetes objects');
}
