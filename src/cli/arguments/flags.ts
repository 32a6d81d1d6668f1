// Every flag there is, by name: those of ours, and those of kube-proxy, for which config/fields.ts says
// what they are. Which command takes which is in the table of commands.
import type { FieldRow, Value } from '../../config/field.ts';
import { fields, type FieldFlagValues } from '../../config/fields.ts';
import type { KindValue } from '../../config/values/value-kinds.ts';
import type { Flag, FlagRow } from './flag.ts';
import { commonFlags, ownConfigFlags, ownFlags } from './own-flags.ts';
import { otherProxyFlags } from './proxy-flags.ts';

const named = { ...ownFlags, ...ownConfigFlags, ...otherProxyFlags, ...commonFlags } as const;

type Named = typeof named;

/** What a flag's value can be: one of its choices, or whatever its kind parses to, or its default. */
type ValueOf<F extends FlagRow> =
  | (F extends { choices: readonly (infer C)[] } ? C : KindValue<F['kind']>)
  | (F extends { default: Value } ? never : undefined);

/** The value of every flag, defaults filled in. */
export type FlagValues = FieldFlagValues & { readonly [N in keyof Named]: ValueOf<Named[N]> };

/** Without the dashes. */
export type FlagName = keyof FlagValues;

// The flags of fields that the help explains; the others mean what they mean in kube-proxy.
const explained: ReadonlySet<string> = new Set([
  'proxy-mode',
  'hostname-override',
  'cluster-cidr',
  'detect-local-mode',
  'pod-bridge-interface',
  'pod-interface-name-prefix',
  'nodeport-addresses',
  'iptables-localhost-nodeports',
  'masquerade-all',
  'iptables-masquerade-bit',
  'kubeconfig',
  'v',
]);

const byName: ReadonlyMap<string, Flag> = new Map([
  ...flagsIn({ ...ownFlags, ...ownConfigFlags }),
  ...fields.flatMap(flagOf),
  ...flagsIn({ ...otherProxyFlags, ...commonFlags }),
]);

function flagsIn(rows: Readonly<Record<string, FlagRow>>): readonly (readonly [string, Flag])[] {
  return Object.entries(rows).map(([name, row]) => [name, { ...row, name }]);
}

function flagOf(row: FieldRow): readonly (readonly [string, Flag])[] {
  const { path: _path, flag: name, zeroIsDefault: _zero, isLive: _isLive, ...rest } = row;
  if (name === undefined) return [];
  const short = name === 'v' ? ({ short: 'v' } as const) : {};
  const brief = explained.has(name) ? {} : ({ isBrief: true } as const);
  return [[name, { ...rest, name, ...brief, ...short }]];
}

/** Every flag. */
export const flags: readonly Flag[] = [...byName.values()];

/** The flag of this name, without the dashes. */
export function flagNamed(name: string): Flag | undefined {
  return byName.get(name);
}

/** The flags of every command: those that every program has. */
export const everywhere: readonly Flag[] = flagsNamed(['color', 'v', 'help', 'version']);

/** The flags of all commands that decide about Services: those of kube-proxy, and --config. */
export const deciding: readonly Flag[] = flags.filter(
  ({ name }) =>
    name !== 'proxy-mode' &&
    !Object.hasOwn(ownFlags, name) &&
    !everywhere.some((flag) => flag.name === name),
);

/** The flags of these names, in their order. */
export function flagsNamed(names: readonly FlagName[]): readonly Flag[] {
  return names.flatMap((name) => byName.get(name) ?? []);
}

/** All values, with the defaults of flags that were not given. */
export function withDefaults(given: Readonly<Record<string, Value>>): FlagValues {
  const values: Record<string, Value> = {};
  for (const { name, default: value } of flags) values[name] = given[name] ?? value;
  // The tables give each name its type, and parseFlagValue gave each value that of its kind.
  return values as FlagValues;
}
