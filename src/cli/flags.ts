// Every flag there is, as one table: what the parser accepts, what the help says and what the commands
// get all come from here.
import type { Command, Flag } from './flag.ts';
import { acceptedFlags } from './flags-accepted.ts';
import type { FlagKind, flagKinds } from '../config/flag-kinds.ts';

const everywhere = ['run', 'diff', 'render', 'cleanup', 'lab', 'version', 'help'] as const;
const proxying = ['run', 'diff', 'render', 'cleanup'] as const;

/** The flags that do something, in the order in which help lists them. */
export const obeyedFlags = [
  {
    name: 'manifests',
    kind: 'string',
    default: undefined,
    placeholder: 'PATH',
    help: 'the objects: a file, a folder, or - for standard input',
    effect: 'obeyed',
    commands: ['run', 'diff', 'render'],
  },
  {
    name: 'dry-run',
    kind: 'bool',
    default: false,
    help: 'say what would be done, and change nothing',
    effect: 'obeyed',
    commands: ['run', 'cleanup'],
  },
  {
    name: 'against',
    kind: 'string',
    default: undefined,
    placeholder: 'FILE',
    help: 'compare with a saved ruleset instead of the kernel',
    effect: 'obeyed',
    commands: ['diff'],
  },
  {
    name: 'overlay',
    kind: 'string',
    choices: ['host-gw', 'vxlan'],
    default: 'host-gw',
    help: "how pods' packets cross nodes: host-gw (routes) or vxlan",
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
    commands: ['run', 'diff', 'render', 'cleanup', 'lab'],
  },
  {
    name: 'proxy-mode',
    kind: 'string',
    choices: ['nftables', 'iptables'],
    refusals: { ipvs: 'ipvs is not supported, and deprecated in kube-proxy: use nftables' },
    default: 'nftables',
    help: 'which part of the kernel is programmed',
    effect: 'obeyed',
    commands: [...proxying, 'lab'],
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
    name: 'hostname-override',
    kind: 'string',
    default: undefined,
    placeholder: 'NAME',
    help: "this node's name in the cluster, if not the host's",
    effect: 'obeyed',
    commands: proxying,
  },
  {
    name: 'cluster-cidr',
    kind: 'cidrs',
    default: [],
    placeholder: 'CIDR[,CIDR]',
    help: 'where pods are: one CIDR, or one of each IP family',
    effect: 'obeyed',
    commands: proxying,
  },
  {
    name: 'detect-local-mode',
    kind: 'string',
    choices: ['ClusterCIDR', 'NodeCIDR', 'BridgeInterface', 'InterfaceNamePrefix'],
    default: 'ClusterCIDR',
    placeholder: 'MODE',
    help: 'how pods are told: ClusterCIDR, NodeCIDR, BridgeInterface or InterfaceNamePrefix',
    effect: 'obeyed',
    commands: proxying,
  },
  {
    name: 'pod-bridge-interface',
    kind: 'interface',
    default: undefined,
    placeholder: 'NAME',
    help: 'the bridge of the pods, for BridgeInterface',
    effect: 'obeyed',
    commands: proxying,
  },
  {
    name: 'pod-interface-name-prefix',
    kind: 'interface',
    default: undefined,
    placeholder: 'NAME',
    help: "how pods' interfaces start, for InterfaceNamePrefix",
    effect: 'obeyed',
    commands: proxying,
  },
  {
    name: 'masquerade-all',
    kind: 'bool',
    default: false,
    help: 'masquerade all Service traffic',
    effect: 'obeyed',
    commands: proxying,
  },
  {
    name: 'iptables-masquerade-bit',
    kind: 'int',
    range: [0, 31],
    default: 14,
    placeholder: 'BIT',
    help: 'the bit of the packet mark for masquerade',
    effect: 'obeyed',
    commands: proxying,
  },
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
    name: 'v',
    short: 'v',
    kind: 'int',
    default: 0,
    placeholder: 'LEVEL',
    help: 'how much is logged',
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

/** Every flag, the obeyed ones first. */
export const flags: readonly Flag[] = [...obeyedFlags, ...acceptedFlags];

type ObeyedFlag = (typeof obeyedFlags)[number];

type Parsed<K extends FlagKind> = Exclude<ReturnType<(typeof flagKinds)[K]['parse']>, undefined>;

/** What a flag's value can be: one of its choices, or whatever its kind parses to, or its default. */
type ValueOf<F extends ObeyedFlag> =
  | (F extends { choices: readonly (infer C)[] } ? C : Parsed<F['kind']>)
  | Extract<F['default'], undefined>;

/** The value of every flag that does something, defaults filled in. */
export type FlagValues = { readonly [F in ObeyedFlag as F['name']]: ValueOf<F> };

/** The flags that a command takes. */
export function flagsOf(command: Command): readonly Flag[] {
  return flags.filter((flag) => flag.commands.includes(command));
}
