// The fields that say where this node's proxy is found, and what it serves.
import type { FieldRow } from '../field.ts';

export const servingFields = [
  {
    path: 'bindAddress',
    flag: 'bind-address',
    kind: 'string',
    default: '0.0.0.0',
    placeholder: 'IP',
    help: "overrides the node's address",
    effect: 'obeyed',
  },
  {
    path: 'healthzBindAddress',
    flag: 'healthz-bind-address',
    kind: 'string',
    default: '0.0.0.0:10256',
    placeholder: 'IP[:PORT]',
    help: 'where health is served',
    effect: 'obeyed',
  },
  {
    path: 'metricsBindAddress',
    flag: 'metrics-bind-address',
    kind: 'string',
    default: '127.0.0.1:10249',
    placeholder: 'IP[:PORT]',
    help: 'where metrics are served',
    effect: 'obeyed',
  },
  {
    path: 'bindAddressHardFail',
    flag: 'bind-address-hard-fail',
    kind: 'bool',
    default: false,
    help: 'exits if a port cannot be bound',
    effect: 'obeyed',
  },
  {
    path: 'enableProfiling',
    flag: 'profiling',
    kind: 'bool',
    default: false,
    help: 'serves profiles next to the metrics',
    effect: 'accepted',
  },
  {
    path: 'showHiddenMetricsForVersion',
    flag: 'show-hidden-metrics-for-version',
    kind: 'string',
    default: '',
    placeholder: 'MAJOR.MINOR',
    help: 'shows metrics hidden in that version',
    effect: 'accepted',
  },
] as const satisfies readonly FieldRow[];
