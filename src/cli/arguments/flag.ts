// What a flag is, and how the text given for one becomes its value. The flags themselves are the table
// in flags.ts; nothing here knows any one of them.
import { quoted } from '../../cluster/problem.ts';
import { choiceFault, rangeFault, type FieldRow, type Value } from '../../config/field.ts';
import { isTextKind, valueKinds } from '../../config/values/value-kinds.ts';

export const commands = [
  'run',
  'diff',
  'explain',
  'verify',
  'status',
  'top',
  'replay',
  'render',
  'cleanup',
  'takeover',
  'rollback',
  'lab',
  'doctor',
  'completion',
  'options',
  'version',
  'help',
] as const;

/** What Sluice can be told to do. */
export type Command = (typeof commands)[number];

/** What a command needs to be told besides flags, in order; others take no words. */
export const operands: Readonly<Partial<Record<Command, readonly string[]>>> = {
  explain: ['FROM', 'TO:PORT[/PROTOCOL]'],
  replay: ['FILE'],
  completion: ['bash|zsh|fish'],
};

/** One flag of the command line: most are the flags of fields of KubeProxyConfiguration. */
export type Flag = Omit<FieldRow, 'path' | 'flag' | 'zeroIsDefault' | 'isLive'> & {
  /** Without the dashes. */
  readonly name: string;
  /** The single letter that stands for it. */
  readonly short?: string;
  /** The help only names it: what it does is what it does in kube-proxy. */
  readonly isBrief?: true;
  readonly commands: readonly Command[];
};

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
