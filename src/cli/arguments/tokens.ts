// Splits a command line into flags and words as Go's pflag does: arguments in, tokens out. Which flags
// there are comes from the table; what their values mean is not looked at.
import type { Flag } from './flag.ts';
import { flagNamed, flags } from './flags.ts';

/** A piece of a command line. */
export type Token =
  /** A flag with the text of its value. */
  | { readonly kind: 'flag'; readonly flag: Flag; readonly text: string }
  /** A flag that needs a value and stands last. */
  | { readonly kind: 'no-value'; readonly flag: Flag }
  | { readonly kind: 'unknown'; readonly typed: string }
  /** A word; `after` is the switch in front of it, which pflag gives no value from the next word. */
  | { readonly kind: 'word'; readonly text: string; readonly after: Flag | undefined };

const byLetter: ReadonlyMap<string, Flag> = new Map(
  flags.flatMap((flag) => (flag.short === undefined ? [] : [[flag.short, flag] as const])),
);

/** The tokens of the arguments, in order. */
export function tokensOf(args: readonly string[]): readonly Token[] {
  const tokens: Token[] = [];
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg === '--') {
      tokens.push(...rest.map((text) => ({ kind: 'word', text, after: undefined }) as const));
      break;
    }
    if (arg.startsWith('--')) tokens.push(longFlag(arg, rest));
    else if (arg.startsWith('-') && arg.length > 1) tokens.push(...shortFlags(arg, rest));
    else tokens.push({ kind: 'word', text: arg, after: switchBefore(tokens.at(-1), args, rest) });
  }
  return tokens;
}

function longFlag(arg: string, rest: string[]): Token {
  const equals = arg.indexOf('=');
  const typed = equals < 0 ? arg : arg.slice(0, equals);
  // Kubernetes' programs take underscores for dashes in names of flags.
  const flag = flagNamed(typed.slice(2).replaceAll('_', '-'));
  if (flag === undefined) {
    // The value of a flag that is not known is not to be taken for a command.
    if (equals < 0 && rest[0] !== undefined && !rest[0].startsWith('-')) rest.shift();
    return { kind: 'unknown', typed };
  }
  return withValue(flag, equals < 0 ? undefined : arg.slice(equals + 1), rest);
}

/** Letters may stand together, and the last may have its value right behind it: `-v2`, `-v=2`. */
function shortFlags(arg: string, rest: string[]): readonly Token[] {
  const typed = arg.split('=')[0] ?? arg;
  const isLongName =
    typed.length > 2 && flagNamed(typed.slice(1).replaceAll('_', '-')) !== undefined;
  const flag = isLongName ? undefined : byLetter.get(arg.charAt(1));
  if (flag === undefined) return [{ kind: 'unknown', typed }];
  const behind = arg.slice(2);
  if (flag.kind === 'bool' && behind !== '' && !behind.startsWith('=')) {
    return [{ kind: 'flag', flag, text: 'true' }, ...shortFlags(`-${behind}`, rest)];
  }
  return [withValue(flag, behind === '' ? undefined : behind.replace(/^=/, ''), rest)];
}

function withValue(flag: Flag, given: string | undefined, rest: string[]): Token {
  const text = given ?? (flag.kind === 'bool' ? 'true' : rest.shift());
  return text === undefined ? { kind: 'no-value', flag } : { kind: 'flag', flag, text };
}

/** The switch that stands bare right before the word that was just taken off `rest`. */
function switchBefore(
  last: Token | undefined,
  args: readonly string[],
  rest: readonly string[],
): Flag | undefined {
  const before = args.at(args.length - rest.length - 2) ?? '';
  const isBare = last?.kind === 'flag' && last.flag.kind === 'bool' && !before.includes('=');
  return isBare ? last.flag : undefined;
}
