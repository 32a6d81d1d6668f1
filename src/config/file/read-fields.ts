// Reads the fields of a parsed configuration file: plain values in, the value of every field out, with
// all that is wrong and all that has no effect, each at its path.
import { described } from '../../cluster/decode/json-field.ts';
import { fieldName, quoted, type Path } from '../../cluster/problem.ts';
import { choiceFault, rangeFault, type FieldRow, type Value } from '../field.ts';
import { defaultValues, fields, type FieldPath, type FieldValues } from '../fields.ts';
import { isOfOtherMode } from '../mode-section.ts';
import { defaultAddresses, defaultPorts, withPort } from '../values/socket-address.ts';
import { isTextKind, valueKinds } from '../values/value-kinds.ts';

/** Something to be said of a field. */
export type Remark = { readonly path: Path; readonly message: string };

/** What a file says; with faults, the values are not to be used. */
export type ReadFields = {
  readonly values: FieldValues;
  readonly faults: readonly Remark[];
  readonly warnings: readonly Remark[];
  /** What is done, and may surprise who comes from kube-proxy. */
  readonly notes: readonly Remark[];
};

type Given = { readonly row: FieldRow; readonly path: Path; readonly value: Value };

const byPath: ReadonlyMap<string, FieldRow> = new Map(fields.map((row) => [row.path, row]));
const sections: ReadonlySet<string> = new Set(
  fields.flatMap(({ path }) => {
    const steps = path.split('.');
    return steps.slice(1).map((_, index) => steps.slice(0, index + 1).join('.'));
  }),
);

/** The fields of a KubeProxyConfiguration whose apiVersion and kind are right. */
export function readFields(root: object): ReadFields {
  const faults: Remark[] = [];
  const warnings: Remark[] = [];
  const given: Given[] = [];
  readSection(root, [], { given, faults, warnings });
  const values: Record<string, Value> = { ...defaultValues() };
  for (const { row, value } of given) values[row.path] = value;
  // The table gives each path its type, and each value was read as that of its kind.
  const typed = values as FieldValues;
  for (const { row, path, value } of given) {
    const isElsewhere = isOfOtherMode(row.path as FieldPath, typed.mode);
    // The bit of iptables is looked at in every mode, as kube-proxy does.
    const fault =
      isElsewhere && row.path !== 'iptables.masqueradeBit' ? undefined : rangeFault(value, row);
    if (fault !== undefined) faults.push({ path, message: fault });
    else if (!isDefault(row, value)) {
      const message = unobeyed(row, isElsewhere ? typed.mode : undefined);
      if (message !== undefined) warnings.push({ path, message });
    }
  }
  return {
    values: withAddresses(typed, new Set(given.map(({ row }) => row.path))),
    ...withoutUnread(typed, { faults, warnings }),
    notes: given.some(({ row }) => row.path === 'mode') ? [] : [modeNote(typed)],
  };
}

// What kube-proxy 1.36 takes for no mode is iptables.
function modeNote({ mode, nodePortAddresses }: FieldValues): Remark {
  const where =
    nodePortAddresses.length > 0 ? '' : "answer at the Node's own addresses alone, and ";
  const all =
    nodePortAddresses.length > 0
      ? ''
      : ' (with nodePortAddresses: ["0.0.0.0/0", "::/0"] for all but loopback)';
  const message =
    `is not set: Sluice uses ${mode}, kube-proxy iptables. So node ports ${where}do not answer at 127.0.0.1. ` +
    `Set mode: ${mode} to keep that${all}, or mode: iptables for what kube-proxy does`;
  return { path: ['mode'], message };
}

/** In other modes than ClusterCIDR, kube-proxy does not even look at clusterCIDR. */
function withoutUnread(
  { detectLocalMode: mode }: FieldValues,
  { faults, warnings }: Omit<Found, 'given'>,
): Pick<ReadFields, 'faults' | 'warnings'> {
  const isUnread = ({ path }: Remark): boolean =>
    mode !== 'ClusterCIDR' && path[0] === 'clusterCIDR';
  return {
    faults: faults.filter((remark) => !isUnread(remark)),
    warnings: [...warnings, ...faults.filter(isUnread)],
  };
}

type Found = { readonly given: Given[]; readonly faults: Remark[]; readonly warnings: Remark[] };

function readSection(section: object, at: Path, found: Found): void {
  for (const [key, json] of Object.entries(section) as [string, unknown][]) {
    const path = [...at, key];
    const name = path.join('.');
    const row = byPath.get(name);
    if (row !== undefined) readField(row, path, { json, found });
    else if (!sections.has(name)) {
      if (at.length === 0 && (key === 'apiVersion' || key === 'kind')) continue;
      found.warnings.push({
        path,
        message: 'is no field of KubeProxyConfiguration, and is ignored',
      });
    } else if (json !== null && json !== undefined) {
      if (typeof json === 'object' && !Array.isArray(json)) readSection(json, path, found);
      else found.faults.push({ path, message: `${described(json)} is not an object` });
    }
  }
}

function readField(
  row: FieldRow,
  path: Path,
  { json, found }: { readonly json: unknown; readonly found: Found },
): void {
  if (json === null || json === undefined) return;
  // What Go's reader cannot distinguish from a field that is not there.
  if ((json === '' && isTextKind(row.kind)) || isUnsetZero(row, json)) return;
  const { fromJson, expected, expectedJson = expected, entry } = valueKinds[row.kind] as Reader;
  const value = fromJson(json);
  if (value !== undefined) {
    const fault = typeof value === 'string' ? choiceFault(value, row, quoted) : undefined;
    if (fault === undefined) found.given.push({ row, path, value });
    else found.faults.push({ path, message: fault });
  } else if (entry !== undefined && Array.isArray(json)) {
    for (const [index, one] of (json as readonly unknown[]).entries()) {
      if (entry.isOne(one)) continue;
      const message = `${described(one)} is not ${entry.expected}`;
      found.faults.push({ path: [...path, index], message });
    }
  } else found.faults.push({ path, message: `${described(json)} is not ${expectedJson}` });
}

type Reader = {
  readonly fromJson: (json: unknown) => Value;
  readonly expected: string;
  readonly expectedJson?: string;
  readonly entry?: { readonly isOne: (json: unknown) => boolean; readonly expected: string };
};

function isUnsetZero({ kind, zeroIsDefault }: FieldRow, json: unknown): boolean {
  return zeroIsDefault === true && valueKinds[kind].fromJson(json) === 0;
}

function isDefault(row: FieldRow, value: Value): boolean {
  return JSON.stringify(value) === JSON.stringify(row.default);
}

/** Why what was asked for is not done, or undefined where it is. */
function unobeyed({ path, effect, help }: FieldRow, mode: string | undefined): string | undefined {
  if (effect === 'accepted') return `has no effect yet (${help})`;
  if (effect === 'refused') return `is not supported (${help})`;
  if (mode === undefined) return undefined;
  return `has no effect in ${mode} mode, which ${fieldName([mode, ...path.split('.').slice(1)])} is for`;
}

/** The values with addresses that are whole: an IP address alone gets the port that is usual there. */
function withAddresses(values: FieldValues, given: ReadonlySet<string>): FieldValues {
  const { healthz, metrics } = defaultAddresses(values.bindAddress);
  return {
    ...values,
    healthzBindAddress: given.has('healthzBindAddress')
      ? withPort(values.healthzBindAddress, defaultPorts.healthz)
      : healthz,
    metricsBindAddress: given.has('metricsBindAddress')
      ? withPort(values.metricsBindAddress, defaultPorts.metrics)
      : metrics,
  };
}
