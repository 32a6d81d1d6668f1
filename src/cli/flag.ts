// What a flag is, and how the text given for one becomes its value. The flags themselves are the table
// in flags.ts; nothing here knows any one of them.
import { quoted } from '../cluster/problem.ts';
import { flagKinds, type FlagKind } from '../config/flag-kinds.ts';

export const commands = ['run', 'diff', 'render', 'cleanup', 'lab', 'version', 'help'] as const;

/** What Sluice can be told to do. */
export type Command = (typeof commands)[number];

export type FlagValue = string | boolean | number | readonly string[] | undefined;

/** One flag of the command line. */
export type Flag = {
  /** Without the dashes. */
  readonly name: string;
  /** The single letter that stands for it. */
  readonly short?: string;
  readonly kind: FlagKind;
  /** The only texts allowed. */
  readonly choices?: readonly string[];
  /** The least and the greatest number allowed. */
  readonly range?: readonly [number, number];
  /** Texts that deserve an answer of their own when they are refused. */
  readonly refusals?: Readonly<Record<string, string>>;
  readonly default: FlagValue;
  /** What stands for the value in the help. */
  readonly placeholder?: string;
  readonly help: string;
  /**
   * accepted: kube-proxy has it, and it has no effect in Sluice yet. refused: kube-proxy has it, and
   * going on without it would do something else than was asked.
   */
  readonly effect: 'obeyed' | 'accepted' | 'refused';
  readonly commands: readonly Command[];
};

/** A value, or what is wrong with the text. */
export type ParsedValue =
  | { readonly kind: 'value'; readonly value: FlagValue }
  | { readonly kind: 'fault'; readonly fault: string };

/** The value that `text` is for a flag. */
export function parseFlagValue(flag: Flag, text: string): ParsedValue {
  // For kube-proxy, a text that is empty is a flag that was not given.
  if (text === '' && ['string', 'cidrs', 'interface', 'nodePortAddresses'].includes(flag.kind)) {
    return { kind: 'value', value: flag.default };
  }
  const { parse, expected } = flagKinds[flag.kind];
  const value: FlagValue = parse(text);
  if (value === undefined) return fault(flag, `${quoted(text)} is not ${expected}`);
  if (flag.choices !== undefined && !flag.choices.includes(text)) {
    const refusals = flag.refusals ?? {};
    const refusal = Object.hasOwn(refusals, text) ? refusals[text] : undefined;
    return fault(flag, refusal ?? `${quoted(text)} is not one of ${flag.choices.join(', ')}`);
  }
  const [least, greatest] = flag.range ?? [-Infinity, Infinity];
  if (typeof value === 'number' && (value < least || value > greatest)) {
    return fault(flag, `${value} is not from ${least} to ${greatest}`);
  }
  return { kind: 'value', value };
}

function fault(flag: Flag, why: string): ParsedValue {
  return { kind: 'fault', fault: `--${flag.name}: ${why}` };
}
