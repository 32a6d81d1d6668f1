// Parses the command line: arguments in, a command with the value of every flag out, or all that is
// wrong with them at once.
import { quoted } from '../../cluster/problem.ts';
import type { Value } from '../../config/field.ts';
import { yieldsToFile } from '../../config/fields.ts';
import { parseBoolean } from '../../config/values/go-values.ts';
import { UsageError } from '../../errors.ts';
import type { LoggingConfig } from '../../model/config.ts';
import { help, version } from '../commands/about.ts';
import { cleanup } from '../commands/cleanup.ts';
import { flagsOf, type Command } from '../commands/command.ts';
import { run } from '../commands/run.ts';
import { commandNamed, commands } from '../commands/table.ts';
import { parseFlagValue, type Flag } from './flag.ts';
import { flags, withDefaults, type FlagValues } from './flags.ts';
import { nearestName } from './nearest-name.ts';
import { tokensOf, type Token } from './tokens.ts';

/** What was asked for. */
export type ParsedArgs = {
  readonly command: Command;
  readonly values: FlagValues;
  /** The words that the command takes besides flags. */
  readonly operands: readonly string[];
  /** The names of the flags that were given. */
  readonly given: ReadonlySet<string>;
  /** One line for each flag of kube-proxy's that was given and has no effect. */
  readonly warnings: readonly string[];
};

/** The command and flags in `argv` (without the program); throws UsageError, a line for each fault. */
export function parseArgs(argv: readonly string[]): ParsedArgs {
  const tokens = tokensOf(argv);
  const faults: string[] = [];
  const { named, operands } = readWords(tokens, faults);
  // Who asks for help gets it, whatever else is wrong.
  if (isSwitchedOn(tokens, 'help')) {
    return { ...parsed(help), operands: named === undefined ? [] : [named.name] };
  }
  if (isSwitchedOn(tokens, 'version')) return parsed(version);
  const command = named ?? (argv.length === 0 ? help : run);
  const { values, warnings } = readFlags(tokens, command, faults);
  faults.push(...operandFaults(command, operands));
  if (faults.length > 0) throw new UsageError(faults.join('\n'));
  const isCleanup = command === run && values['cleanup'] === true;
  return { ...parsed(isCleanup ? cleanup : command, values, warnings), operands };
}

/** The format of the log that `argv` asks for, if that is the daemon's; undefined where nothing is logged. */
export function logFormatOf(argv: readonly string[]): LoggingConfig['format'] | undefined {
  const tokens = tokensOf(argv);
  const isBare = tokens.length > 0 && tokens.every(({ kind }) => kind !== 'word');
  const isDaemon = isBare || readWords(tokens).named === run;
  if (!isDaemon || isSwitchedOn(tokens, 'cleanup')) return undefined;
  return withDefaults(readFlags(tokens, run, []).values)['logging-format'];
}

function parsed(
  command: Command,
  given: Readonly<Record<string, Value>> = {},
  warnings: ReadonlyMap<string, string> = new Map(),
): ParsedArgs {
  const names = new Set(Object.keys(given));
  const values = withDefaults(given);
  const common = { command, values, operands: [], given: names };
  if (values.config === '') return { ...common, warnings: [...warnings.values()] };
  // The file is read later, and its own warnings come then.
  const obeyed = [...warnings].filter(([name]) => !yieldsToFile(name)).map(([, line]) => line);
  const ignored = [...names].filter(yieldsToFile).map((name) => `--${name}`);
  const warning = `${ignored.join(', ')}: no effect, because --config is given`;
  return { ...common, warnings: ignored.length > 0 ? [...obeyed, warning] : obeyed };
}

/** The command among the words, and the words that it takes; all others are faults. */
export function readWords(
  tokens: readonly Token[],
  faults: string[] = [],
): { readonly named: Command | undefined; readonly operands: readonly string[] } {
  let named: Command | undefined;
  const operands: string[] = [];
  for (const token of tokens) {
    if (token.kind !== 'word') continue;
    const { text, after } = token;
    const known = commandNamed(text);
    const takesMore = operands.length < (named?.operands?.length ?? 0);
    if (after !== undefined && parseBoolean(text) !== undefined) {
      faults.push(`unexpected argument ${quoted(text)}: write --${after.name}=${text}`);
    } else if (takesMore) operands.push(text);
    else if (named === undefined && known !== undefined) named = known;
    else if (named === undefined && faults.length === 0) faults.push(unknownCommand(text));
    else faults.push(`unexpected argument ${quoted(text)}`);
  }
  return { named, operands };
}

function unknownCommand(text: string): string {
  const names = commands.map(({ name }) => name);
  return `unknown command ${quoted(text)}${suggestion(text, names, '')}`;
}

/** What is wrong with the operands: too few, or an unknown command. */
function operandFaults(
  { name, operands = [] }: Command,
  given: readonly string[],
): readonly string[] {
  const missing = operands.slice(given.length).filter(({ isOptional }) => isOptional !== true);
  const names = missing.map((operand) => operand.name).join(' ');
  const unknown = given.filter(
    (text, index) => operands[index]?.choices === 'commands' && commandNamed(text) === undefined,
  );
  return [...(names === '' ? [] : [`${name} needs ${names}`]), ...unknown.map(unknownCommand)];
}

function isSwitchedOn(tokens: readonly Token[], name: string): boolean {
  const last = tokens.findLast((token) => token.kind === 'flag' && token.flag.name === name);
  return last?.kind === 'flag' && parseBoolean(last.text) === true;
}

function readFlags(tokens: readonly Token[], command: Command, faults: string[]) {
  const values: Record<string, Value> = {};
  const warnings = new Map<string, string>();
  for (const token of tokens) {
    if (token.kind === 'word') continue;
    if (token.kind === 'unknown') {
      const names = flags.map(({ name }) => name);
      const typed = token.typed.replace(/^-+/, '');
      faults.push(`unknown flag ${printed(token.typed)}${suggestion(typed, names, '--')}`);
      continue;
    }
    const { flag } = token;
    if (!flagsOf(command).includes(flag)) {
      const takers = commands.filter((one) => flagsOf(one).includes(flag)).map(({ name }) => name);
      faults.push(`--${flag.name} is not a flag of ${command.name}, only of ${takers.join(', ')}`);
    } else if (token.kind === 'no-value') faults.push(`--${flag.name} needs a value`);
    else {
      const parsed = parseFlagValue(flag, token.text);
      if (parsed.kind === 'fault') faults.push(parsed.fault);
      else {
        values[flag.name] = withUse(flag, values[flag.name], parsed.value);
        noteUnobeyed(flag, parsed.value, { faults, warnings });
      }
    }
  }
  return { values, warnings };
}

/** The value of a flag after one more use of it. */
function withUse({ adds }: Flag, before: Value, used: Value): Value {
  if (adds === undefined || typeof before !== 'object' || typeof used !== 'object') return used;
  if (Array.isArray(before) && Array.isArray(used)) return [...before, ...used];
  return Object.fromEntries([...Object.entries(before), ...Object.entries(used)]) as Value;
}

function noteUnobeyed(
  flag: Flag,
  value: Value,
  { faults, warnings }: { faults: string[]; warnings: Map<string, string> },
): void {
  if (flag.effect === undefined || flag.effect === 'obeyed') return;
  // The default is what happens anyway.
  if (JSON.stringify(value) === JSON.stringify(flag.default)) warnings.delete(flag.name);
  else if (flag.effect === 'refused') faults.push(`--${flag.name} is not supported (${flag.help})`);
  else warnings.set(flag.name, `--${flag.name} has no effect yet (${flag.help})`);
}

function suggestion(typed: string, names: readonly string[], prefix: string): string {
  const nearest = nearestName(typed, names);
  return nearest === undefined ? '' : `; did you mean ${prefix}${nearest}?`;
}

/** What was typed, bare where that is harmless. */
function printed(typed: string): string {
  return /^[\w.-]{1,60}$/.test(typed) ? typed : quoted(typed);
}
