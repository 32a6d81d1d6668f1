// Parses the command line: arguments in, a command with the value of every flag out, or all that is
// wrong with them at once.
import { commands, operands, parseFlagValue, type Command, type Flag } from './flag.ts';
import { flags, withDefaults, type FlagValues } from './flags.ts';
import { nearestName } from './nearest-name.ts';
import { tokensOf, type Token } from './tokens.ts';
import { quoted } from '../../cluster/problem.ts';
import type { Value } from '../../config/field.ts';
import { yieldsToFile } from '../../config/fields.ts';
import { parseBoolean } from '../../config/values/go-values.ts';
import { UsageError } from '../../errors.ts';

/** What was asked for. */
export type ParsedArgs = {
  readonly command: Command;
  readonly values: FlagValues;
  /** What the command was told besides flags: as many words as it needs. */
  readonly operands: readonly string[];
  /** The names of the flags that were given. */
  readonly given: ReadonlySet<string>;
  /** One line for each flag of kube-proxy's that was given and has no effect. */
  readonly warnings: readonly string[];
};

type Word = Extract<Token, { kind: 'word' }>;

/** The command and flags in `argv` (without the program); throws UsageError, a line for each fault. */
export function parseArgs(argv: readonly string[]): ParsedArgs {
  const tokens = tokensOf(argv);
  const faults: string[] = [];
  const words = tokens.filter((token) => token.kind === 'word');
  const isAsked = (name: string): boolean => isSwitchedOn(tokens, name);
  const { named, told } = namedCommand(words, faults);
  const command = named ?? impliedCommand(argv, isAsked);
  // Who asks for help gets it, whatever else is wrong.
  if (isAsked('help') || (named === 'help' && words.length > 1 && faults.length === 0)) {
    return parsed(topicOf(words) ?? command, { help: true });
  }
  if (isAsked('version')) return parsed('version', {});
  const { values, warnings } = readFlags(tokens, command, faults);
  const missing = (operands[command] ?? []).slice(told.length);
  if (missing.length > 0) faults.push(`${command} needs ${missing.join(' ')}`);
  if (faults.length > 0) throw new UsageError(faults.join('\n'));
  const isCleanup = command === 'run' && isAsked('cleanup');
  return { ...parsed(isCleanup ? 'cleanup' : command, values, warnings), operands: told };
}

function parsed(
  command: Command,
  given: Readonly<Record<string, Value>>,
  warnings: ReadonlyMap<string, string> = new Map(),
): ParsedArgs {
  const names = new Set(Object.keys(given));
  const values = withDefaults(given);
  const common = { command, values, operands: [], given: names };
  if (values.config === '') return { ...common, warnings: [...warnings.values()] };
  // What a file says in place of a flag is warned of where the file says it.
  const heard = [...warnings].filter(([name]) => !yieldsToFile(name)).map(([, line]) => line);
  const unheard = [...names].filter(yieldsToFile).map((name) => `--${name}`);
  const warning = `${unheard.join(', ')}: without effect, since --config is given`;
  return { ...common, warnings: unheard.length > 0 ? [...heard, warning] : heard };
}

/** The command among the words, and the words that it is told; all others are faults. */
function namedCommand(
  words: readonly Word[],
  faults: string[],
): { readonly named: Command | undefined; readonly told: readonly string[] } {
  let named: Command | undefined;
  const told: string[] = [];
  for (const { text, after } of words) {
    const known = commands.find((command) => command === text);
    const takesMore = named !== undefined && told.length < (operands[named]?.length ?? 0);
    if (after !== undefined && parseBoolean(text) !== undefined) {
      faults.push(`unexpected argument ${quoted(text)}: write --${after.name}=${text}`);
    } else if (takesMore) told.push(text);
    else if (named === undefined && known !== undefined) named = known;
    else if (named === undefined && faults.length === 0) {
      faults.push(`unknown command ${quoted(text)}${suggestion(text, commands, '')}`);
    } else if (named !== 'help' || known === undefined) {
      faults.push(`unexpected argument ${quoted(text)}`);
    }
  }
  return { named, told };
}

function impliedCommand(argv: readonly string[], isAsked: (name: string) => boolean): Command {
  return argv.length === 0 || isAsked('help') ? 'help' : 'run';
}

/** The command that help is wanted for: the last one named. */
function topicOf(words: readonly Word[]): Command | undefined {
  const named = words.map(({ text }) => commands.find((command) => command === text));
  return named.findLast((command) => command !== undefined);
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
    if (!flag.commands.includes(command)) {
      faults.push(
        `--${flag.name} is not a flag of ${command}, only of ${flag.commands.join(', ')}`,
      );
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
  if (flag.effect === 'obeyed') return;
  // What kube-proxy does anyway is no wish that goes unheard.
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
