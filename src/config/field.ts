// What a field of KubeProxyConfiguration is, with the flag of the same meaning. The fields themselves
// are the table in fields.ts; nothing here knows any one of them.
import type { ValueKind } from './values/value-kinds.ts';
import { formatDuration } from './values/go-values.ts';

/** What a flag or a field can hold. */
export type Value =
  | string
  | boolean
  | number
  | readonly string[]
  | Readonly<Record<string, boolean>>
  | readonly { readonly filePattern: string; readonly verbosity: number }[]
  | undefined;

/** The bounds of a number, or of a duration in milliseconds. */
export type Range = {
  readonly min?: number;
  readonly max?: number;
  /** The value must be greater than this. */
  readonly above?: number;
};

/**
 * accepted: kube-proxy has it, and it has no effect in Sluice (yet). refused: kube-proxy has it, and
 * going on without it would do something else than was asked.
 */
export type Effect = 'obeyed' | 'accepted' | 'refused';

/** One field; a flag without a field is a row of the table in cli/arguments/flags.ts. */
export type FieldRow = {
  /** The way to the field from the root: `conntrack.maxPerCore`. */
  readonly path: string;
  readonly kind: ValueKind;
  readonly default: Value;
  /** The flag that says the same, without the dashes. One flag may stand for fields of several modes. */
  readonly flag?: string;
  /** The only texts allowed. */
  readonly choices?: readonly string[];
  readonly range?: Range;
  /** Texts that deserve an answer of their own when they are refused. */
  readonly refusals?: Readonly<Record<string, string>>;
  /** Each use of the flag adds to the list, as Go's flags of slices do; otherwise the last one counts. */
  readonly adds?: true;
  /** In a file, zero cannot be distinguished from nothing, and is replaced by the default. */
  readonly zeroIsDefault?: true;
  /** What stands for the value in the help. */
  readonly placeholder?: string;
  readonly help: string;
  readonly effect: Effect;
  /** A changed file is obeyed at once; otherwise the change waits for the next start. */
  readonly isLive?: true;
};

/** Why a number is out of its bounds, or undefined where it is not. */
export function rangeFault(
  value: unknown,
  { kind, range }: Pick<FieldRow, 'kind' | 'range'>,
): string | undefined {
  if (typeof value !== 'number' || range === undefined) return undefined;
  const { min = -Infinity, max = Infinity, above = -Infinity } = range;
  const shown = kind === 'duration' ? formatDuration(value) : String(value);
  if (value <= above) return `${shown} is not more than ${above}`;
  if (value >= min && value <= max) return undefined;
  return max === Infinity
    ? `${shown} is less than ${min}`
    : `${shown} is not from ${min} to ${max}`;
}

/** Why a text is none of the choices, or undefined where it is one. */
export function choiceFault(
  text: string,
  { choices, refusals = {} }: Pick<FieldRow, 'choices' | 'refusals'>,
  quoted: (text: string) => string,
): string | undefined {
  if (choices === undefined || choices.includes(text)) return undefined;
  const refusal = Object.hasOwn(refusals, text) ? refusals[text] : undefined;
  return refusal ?? `${quoted(text)} is not one of ${choices.join(', ')}`;
}
