// Every field of KubeProxyConfiguration (kubeproxy.config.k8s.io/v1alpha1) as one table: what a file may
// hold, the flag of the same meaning, defaults, bounds, help and effect all come from here.
import type { Value } from './field.ts';
import { apiServerFields } from './fields/api-server.ts';
import { elsewhereFields } from './fields/elsewhere.ts';
import { hostFields } from './fields/host.ts';
import { loggingFields } from './fields/logging.ts';
import { servingFields } from './fields/serving.ts';
import { trafficFields } from './fields/traffic.ts';
import type { KindValue } from './values/value-kinds.ts';

/** All fields, in the order in which help lists their flags. */
export const fields = [
  ...trafficFields,
  ...servingFields,
  ...apiServerFields,
  ...hostFields,
  ...loggingFields,
  ...elsewhereFields,
] as const;

type Field = (typeof fields)[number];

export type FieldPath = Field['path'];

/** What a row's value can be: one of its choices, or whatever its kind is read as. */
type ValueOf<R extends Field> = R extends { choices: readonly (infer C)[] }
  ? C
  : KindValue<R['kind']>;

/** The value of every field, defaults filled in. */
export type FieldValues = { readonly [R in Field as R['path']]: ValueOf<R> };

type Flagged = Extract<Field, { flag: string }>;

/** The value of every flag that has a field, defaults filled in. */
export type FieldFlagValues = { readonly [R in Flagged as R['flag']]: ValueOf<R> };

/** The defaults of all fields, as kube-proxy's but for the mode. */
export function defaultValues(): FieldValues {
  const values: Record<string, Value> = {};
  for (const { path, default: value } of fields) values[path] = value;
  // The table gives each path its type.
  return values as FieldValues;
}

/** The fields that a flag stands for: none, one, or the same in the sections of several modes. */
function fieldsOfFlag(flag: string): readonly Field[] {
  return fields.filter((row) => 'flag' in row && row.flag === flag);
}

/**
 * Whether a flag says nothing beside a file. As in kube-proxy, those about the log and the name of the
 * node still count, and so does what has no field.
 */
export function yieldsToFile(flag: string): boolean {
  if (flag === 'healthz-port' || flag === 'metrics-port') return true;
  return fieldsOfFlag(flag).some(
    ({ path }) => path !== 'hostnameOverride' && !path.startsWith('logging.'),
  );
}
