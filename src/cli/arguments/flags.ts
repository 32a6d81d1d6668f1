// Every flag there is: what the parser accepts, what the help says and what the commands get all come
// from here, and for flags that have a field from config/fields.ts.
import { commands, type Command, type Flag } from './flag.ts';
import { otherProxyFlags } from './flags-accepted.ts';
import { reportFlags } from './flags-of-reports.ts';
import { fields, type FieldFlagValues } from '../../config/fields.ts';
import type { FieldRow, Value } from '../../config/field.ts';
import type { KindValue } from '../../config/values/value-kinds.ts';
import { serviceCounters } from '../../model/config.ts';
import { overlays } from '../../lab/topology.ts';

const everywhere = commands;
const proxying = ['run', 'diff', 'explain', 'verify', 'render', 'cleanup', 'takeover'] as const;

/** The flags of ours, in the order in which help lists them. */
const ownFlags = [
  {
    name: 'manifests',
    kind: 'string',
    default: undefined,
    placeholder: 'PATH',
    help: 'the objects: a file, a folder, or - for standard input',
    effect: 'obeyed',
    commands: ['run', 'diff', 'render', 'takeover', 'explain', 'verify'],
  },
  {
    name: 'daemon',
    kind: 'string',
    default: undefined,
    placeholder: 'URL',
    help: 'ask a running daemon, at its metrics address: http://127.0.0.1:10249',
    effect: 'obeyed',
    commands: ['explain', 'verify', 'status', 'top'],
  },
  {
    name: 'live',
    kind: 'bool',
    default: false,
    help: 'follow one real packet through all rules of this host, and compare',
    effect: 'obeyed',
    commands: ['explain'],
  },
  {
    name: 'wait',
    kind: 'duration',
    default: 60_000,
    placeholder: 'TIME',
    help: 'how long to wait for a packet that somebody else sends',
    effect: 'obeyed',
    commands: ['explain'],
  },
  {
    name: 'dry-run',
    kind: 'bool',
    default: false,
    help: 'say what would be done, and change nothing',
    effect: 'obeyed',
    commands: ['run', 'cleanup'],
  },
  ...reportFlags,
  {
    name: 'shadow',
    kind: 'bool',
    default: false,
    help: 'compare with the rules that stand here, address by address, and change nothing',
    effect: 'obeyed',
    commands: ['takeover'],
  },
  {
    name: 'accept-differences',
    kind: 'bool',
    default: false,
    help: 'take over although some packets will end otherwise',
    effect: 'obeyed',
    commands: ['takeover'],
  },
  {
    name: 'before-file',
    kind: 'string',
    default: '/var/lib/sluice/before-takeover.json',
    placeholder: 'FILE',
    help: 'where the rules are kept that stood here before',
    effect: 'obeyed',
    commands: ['run', 'takeover', 'rollback'],
  },
  {
    name: 'overlay',
    kind: 'string',
    choices: overlays,
    default: 'host-gw',
    help: 'the pod network: routes between nodes, a tunnel (vxlan, udp), or pods on the LAN (macvlan)',
    effect: 'obeyed',
    commands: ['lab'],
  },
  {
    name: 'family',
    kind: 'string',
    choices: ['IPv4', 'IPv6'],
    default: undefined,
    help: 'only this IP family',
    effect: 'obeyed',
    commands: ['render'],
  },
  {
    name: 'keep',
    kind: 'bool',
    default: false,
    help: 'leave the lab standing until Ctrl-C',
    effect: 'obeyed',
    commands: ['lab'],
  },
  {
    name: 'output',
    short: 'o',
    kind: 'string',
    choices: ['text', 'json'],
    default: 'text',
    help: 'the form in which results are printed',
    effect: 'obeyed',
    commands: [
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
      'lab',
      'doctor',
    ],
  },
  {
    name: 'config',
    kind: 'string',
    default: '',
    placeholder: 'FILE',
    help: 'a KubeProxyConfiguration, in place of flags',
    effect: 'obeyed',
    commands: proxying,
  },
  {
    name: 'nft-input',
    kind: 'string',
    choices: ['auto', 'json', 'text'],
    default: 'auto',
    help: 'how nft is fed; auto: JSON where this nft takes it',
    effect: 'obeyed',
    commands: proxying,
  },
  {
    name: 'service-counters',
    kind: 'string',
    choices: serviceCounters,
    default: 'services',
    help: 'new connections that nftables counts, for sluice top',
    effect: 'obeyed',
    commands: proxying,
  },
] as const satisfies readonly Flag[];

const lastFlags = [
  {
    name: 'cleanup',
    kind: 'bool',
    default: false,
    help: 'do what the command cleanup does',
    effect: 'obeyed',
    commands: ['run', 'cleanup'],
  },
  {
    name: 'color',
    kind: 'string',
    choices: ['auto', 'always', 'never'],
    default: 'auto',
    help: 'colours in the output; auto: on a terminal',
    effect: 'obeyed',
    commands: everywhere,
  },
  {
    name: 'help',
    short: 'h',
    kind: 'bool',
    default: false,
    help: 'print this and end',
    effect: 'obeyed',
    commands: everywhere,
  },
  {
    name: 'version',
    kind: 'bool',
    default: false,
    help: 'print the version and end',
    effect: 'obeyed',
    commands: everywhere,
  },
] as const satisfies readonly Flag[];

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

/** What the flags of fields have besides what the field says. */
const flagsOfFields: Readonly<Record<string, Pick<Flag, 'short' | 'commands'>>> = {
  'proxy-mode': { commands: [...proxying, 'lab', 'doctor'] },
  v: { short: 'v', commands: everywhere },
};

const fieldFlags: readonly Flag[] = [
  ...new Map(fields.flatMap(flagOf).map((flag) => [flag.name, flag])).values(),
];

function flagOf(row: FieldRow): readonly Flag[] {
  const { path: _path, flag: name, zeroIsDefault: _zero, isLive: _isLive, ...rest } = row;
  if (name === undefined) return [];
  const brief = explained.has(name) ? {} : ({ isBrief: true } as const);
  return [{ ...rest, name, ...brief, ...(flagsOfFields[name] ?? { commands: proxying }) }];
}

/** Every flag. */
export const flags: readonly Flag[] = inHelpOrder([
  ...ownFlags,
  ...fieldFlags,
  ...otherProxyFlags,
  ...lastFlags,
]);

// The last flags are those that every program has; the level of the log is one of them.
function inHelpOrder(all: readonly Flag[]): readonly Flag[] {
  const last = ['cleanup', 'color', 'v', 'help', 'version'];
  const place = ({ name }: Flag): number => last.indexOf(name);
  return all.toSorted((one, other) => place(one) - place(other));
}

type NamedFlag =
  | (typeof ownFlags)[number]
  | (typeof otherProxyFlags)[number]
  | (typeof lastFlags)[number];

/** What a flag's value can be: one of its choices, or whatever its kind parses to, or its default. */
type ValueOf<F extends NamedFlag> =
  | (F extends { choices: readonly (infer C)[] } ? C : KindValue<F['kind']>)
  | Extract<F['default'], undefined>;

/** The value of every flag, defaults filled in. */
export type FlagValues = FieldFlagValues & {
  readonly [F in NamedFlag as F['name']]: ValueOf<F>;
};

/** All values, with the defaults of flags that were not given. */
export function withDefaults(given: Readonly<Record<string, Value>>): FlagValues {
  const values: Record<string, Value> = {};
  for (const { name, default: value } of flags) values[name] = given[name] ?? value;
  // The tables give each name its type, and parseFlagValue gave each value that of its kind.
  return values as FlagValues;
}

// What a command is mostly called with is its own, though others have it too.
const generalNames: ReadonlySet<string> = new Set(
  [...fieldFlags, ...otherProxyFlags, ...lastFlags]
    .map(({ name }): string => name)
    .filter((name) => name !== 'proxy-mode' && name !== 'cleanup')
    .concat('nft-input', 'service-counters'),
);

/** Whether many commands take the flag alike: `sluice options` tells of it, and no command's own help. */
export function isGeneral({ name }: Flag): boolean {
  return generalNames.has(name);
}

/** The flags that a command takes. */
export function flagsOf(command: Command): readonly Flag[] {
  return flags.filter((flag) => flag.commands.includes(command));
}
