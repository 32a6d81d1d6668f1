// Reads who an object is: untrusted metadata in, names that obey the API server's rules out. Names land
// in rules, comments and logs, so nothing else may get through here.
import { child, readText, report, type Field } from './json-field.ts';
import { quoted } from '../problem.ts';

const longestLabel = 63;
const longestSubdomain = 253;

/** A namespaced identity. */
export type NamespacedName = { readonly namespace: string; readonly name: string };

/** True for an RFC 1123 label: what namespaces, Services and ports are named. */
export function isDnsLabel(text: string): boolean {
  return text.length <= longestLabel && isLabelText(text);
}

/** True for an RFC 1123 subdomain: what nodes, slices and most other objects are named. */
export function isDnsSubdomain(text: string): boolean {
  return text.length <= longestSubdomain && text.split('.').every(isLabelText);
}

/** The namespace (`default` where absent) and the label-shaped name of a Service. */
export function readServiceName(metadata: Field): NamespacedName | undefined {
  const namespace = readNamespace(metadata);
  const name = readName(metadata, { isValid: isDnsLabel, kindOfName: 'a DNS label' });
  return namespace === undefined || name === undefined ? undefined : { namespace, name };
}

/** The namespace (`default` where absent) and the name of any other namespaced object. */
export function readNamespacedName(metadata: Field): NamespacedName | undefined {
  const namespace = readNamespace(metadata);
  const name = readClusterName(metadata);
  return namespace === undefined || name === undefined ? undefined : { namespace, name };
}

/** The name of an object without a namespace. */
export function readClusterName(metadata: Field): string | undefined {
  return readName(metadata, { isValid: isDnsSubdomain, kindOfName: 'a DNS subdomain' });
}

/** True where the label is there, whatever its value; null is a value too. */
export function hasLabel(labels: Field, key: string): boolean {
  return Object.hasOwn(labels.value as object, key);
}

/** The value of a label, which may be empty, or undefined where it is absent or no such value. */
export function readLabelValue(field: Field): string | undefined {
  const text = readText(field);
  if (text === undefined || isLabelValue(text)) return text;
  report(field, `${quoted(text)} is not the value of a label`);
  return undefined;
}

/**
 * When the object was made, as the API server writes it: in UTC, to the second. Or '': only who is older depends
 * on it, so what is no time is reported to the list of `leftOut`, and nothing else.
 */
export function readCreatedAt(metadata: Field, leftOut: Field['problems']): string {
  const field = { ...child(metadata, 'creationTimestamp'), problems: leftOut };
  const text = readText(field) ?? '';
  const ms = text === '' ? undefined : timeOf(text);
  if (ms !== undefined) return `${new Date(ms).toISOString().slice(0, 19)}Z`;
  if (text !== '') report(field, `${quoted(text)} is not a time such as 2026-01-31T12:00:00Z`);
  return '';
}

/** RFC 3339 as milliseconds since the epoch, also with a space, or without an offset, as YAML printers write it. */
export function timeOf(text: string): number | undefined {
  const parts =
    /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d(?:\.\d{1,9})?) ?([Zz]|[+-]\d\d(?::?\d\d)?)?$/.exec(
      text,
    );
  if (parts === null) return undefined;
  const [, day = '', time = '', offset = 'Z'] = parts;
  const [, hours = '', minutes = '00'] = /^([+-]\d\d):?(\d\d)?$/.exec(offset) ?? [];
  const ms = Date.parse(`${day}T${time}${hours === '' ? 'Z' : `${hours}:${minutes}`}`);
  return Number.isNaN(ms) ? undefined : ms;
}

function readNamespace(metadata: Field): string | undefined {
  const field = child(metadata, 'namespace');
  const before = field.problems.length;
  const namespace = readText(field) || 'default';
  if (field.problems.length > before) return undefined;
  if (isDnsLabel(namespace)) return namespace;
  report(field, `${quoted(namespace)} is not a DNS label`);
  return undefined;
}

function readName(
  metadata: Field,
  rule: { isValid: (text: string) => boolean; kindOfName: string },
): string | undefined {
  const field = child(metadata, 'name');
  const before = field.problems.length;
  const name = readText(field);
  if (field.problems.length > before) return undefined;
  if (name !== undefined && rule.isValid(name)) return name;
  report(field, name === undefined ? 'is missing' : `${quoted(name)} is not ${rule.kindOfName}`);
  return undefined;
}

function isLabelText(text: string): boolean {
  return /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(text);
}

function isLabelValue(text: string): boolean {
  return text.length <= longestLabel && /^([A-Za-z0-9]([-\w.]*[A-Za-z0-9])?)?$/.test(text);
}
