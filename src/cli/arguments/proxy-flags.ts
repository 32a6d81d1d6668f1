// The flags of kube-proxy that no field stands for. Those without effect are checked and accepted too, so
// that a command line written for kube-proxy works as it stands.
import type { FlagRow } from './flag.ts';

const obeyed = { isBrief: true } as const;
const accepted = { effect: 'accepted', isBrief: true } as const;
// A caller of these waits for the process to end, which `run` would never do.
const refused = { effect: 'refused' } as const;

/** Their table. */
export const otherProxyFlags = {
  master: {
    kind: 'string',
    default: '',
    placeholder: 'URL',
    help: 'the address of the API server',
    ...obeyed,
  },
  'healthz-port': {
    kind: 'int',
    default: 10_256,
    range: { min: 0, max: 65_535 },
    help: 'the port of the health server',
    ...obeyed,
  },
  'metrics-port': {
    kind: 'int',
    default: 10_249,
    range: { min: 0, max: 65_535 },
    help: 'the port of the metrics server',
    ...obeyed,
  },
  'boot-id-file': {
    kind: 'string',
    default: '/proc/sys/kernel/random/boot_id',
    placeholder: 'FILE',
    help: 'where the boot id is read',
    ...accepted,
  },
  'machine-id-file': {
    kind: 'string',
    default: '/etc/machine-id,/var/lib/dbus/machine-id',
    placeholder: 'FILE',
    help: 'where the machine id is read',
    ...accepted,
  },
  'init-only': {
    kind: 'bool',
    default: false,
    help: 'prepares the node and exits',
    ...refused,
  },
  'write-config-to': {
    kind: 'string',
    default: '',
    placeholder: 'FILE',
    help: 'writes the configuration to a file and exits',
    ...refused,
  },
} as const satisfies Record<string, FlagRow>;
