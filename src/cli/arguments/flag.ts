// What a flag is, and how the text given for one becomes its value. The flags themselves are in flags.ts;
// nothing here knows any one of them.
import { quoted } from '../../cluster/problem.ts';
import { choiceFault, rangeFault, type FieldRow, type Value } from '../../config/field.ts';
import { isTextKind, valueKinds } from '../../config/values/value-kinds.ts';

/** One flag of the command line: most are the flags of fields of KubeProxyConfiguration. */
export type Flag = Omit<
  FieldRow,
  'path' | 'flag' | 'default' | 'effect' | 'zeroIsDefault' | 'isLive'
> & {
  /** Without the dashes. */
  readonly name: string;
  readonly default?: Value;
  /** Undefined: it is obeyed. */
  readonly effect?: FieldRow['effect'];
  /** The single letter that stands for it. */
  readonly short?: string;
  /** The help only names it: what it does is what it does in kube-proxy. */
  readonly isBrief?: true;
};

/** A row of a table of flags, which has their names. */
export type FlagRow = Omit<Flag, 'name'>;

/** A value, or what is wrong with the text. */
export type ParsedValue =
  | { readonly kind: 'value'; readonly value: Value }
  | { readonly kind: 'fault'; readonly fault: string };

/** The value that `text` is for a flag. */
export function parseFlagValue(flag: Flag, text: string): ParsedValue {
  // For kube-proxy, a text that is empty is a flag that was not given.
  if (text === '' && isTextKind(flag.kind)) return { kind: 'value', value: flag.default };
  const { parse, expected } = valueKinds[flag.kind];
  const value: Value = parse(text);
  if (value === undefined) return fault(flag, `${quoted(text)} is not ${expected}`);
  const why = choiceFault(text, flag, quoted) ?? rangeFault(value, flag);
  return why === undefined ? { kind: 'value', value } : fault(flag, why);
}

function fault(flag: Flag, why: string): ParsedValue {
  return { kind: 'fault', fault: `--${flag.name}: ${why}` };
}
