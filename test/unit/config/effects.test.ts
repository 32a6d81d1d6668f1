// Each word of what has an effect is held against the code: a field that is said to be obeyed makes another
// Config, in a property that something outside src/config reads; one that is said to have no effect makes none.
import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { configFrom } from '../../../src/config/config.ts';
import type { FieldRow, Value } from '../../../src/config/field.ts';
import { defaultValues, fields, type FieldValues } from '../../../src/config/fields.ts';
import { flagOrigin } from '../../../src/config/origin.ts';
import { lineFor } from './load.ts';

const src = resolve(import.meta.dirname, '../../../src');
const readers = globSync('**/*.ts', { cwd: src })
  .filter((file) => !file.startsWith('config/') && file !== 'model/config.ts')
  .map((file) => readFileSync(join(src, file), 'utf8').replaceAll(/^\s*(\/\/|\/?\*).*$/gm, ''));

/** Another value of each field than its default, where its kind does not say it. */
const others: Readonly<Record<string, Value>> = {
  mode: 'iptables',
  detectLocalMode: 'NodeCIDR',
  bindAddress: '192.168.0.1',
  healthzBindAddress: '192.168.0.1:1',
  metricsBindAddress: '192.168.0.1:1',
  showHiddenMetricsForVersion: '1.35',
  'logging.format': 'json',
};

const byKind: Readonly<Record<string, (value: Value) => Value>> = {
  bool: (value) => value !== true,
  int: (value) => Number(value) + 1,
  decimal: (value) => Number(value) + 1,
  duration: (value) => Number(value) + 1000,
  durationOrNumber: (value) => Number(value) + 1000,
  string: () => 'other',
  interface: () => 'other0',
  quantity: () => '1',
  cidrs: () => ['10.0.0.0/8'],
  cidrList: () => ['10.0.0.0/8'],
  nodePortAddresses: () => ['10.0.0.0/8'],
  featureGates: () => ({ AllAlpha: true }),
  vmodule: () => [{ filePattern: 'a', verbosity: 1 }],
};

/** What has to be set for a field to count at all. */
function around(path: string): object {
  if (path === 'detectLocal.bridgeInterface') return { detectLocalMode: 'BridgeInterface' };
  if (path === 'detectLocal.interfaceNamePrefix') return { detectLocalMode: 'InterfaceNamePrefix' };
  return path.startsWith('iptables.') ? { mode: 'iptables' } : {};
}

/** The Config of these values as its leaves, but for the document. */
function leavesOf(values: object): ReadonlyMap<string, string> {
  const { values: flags, hostname } = lineFor();
  const all = { ...defaultValues(), ...values } as FieldValues;
  const { config } = configFrom(all, { flags, hostname, origin: flagOrigin });
  const { document: _document, ...rest } = config;
  const leaves = new Map<string, string>();
  const walk = (at: readonly string[], value: unknown): void => {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      for (const [key, inner] of Object.entries(value)) walk([...at, key], inner);
    } else leaves.set(at.join('.'), JSON.stringify(value) ?? '');
  };
  walk([], rest);
  return leaves;
}

/** The properties of the Config that another value of a field changes. */
function changedBy({ path, kind, default: value }: FieldRow): readonly string[] {
  const set = around(path);
  const other = others[path] ?? byKind[kind]?.(value);
  const [before, after] = [leavesOf(set), leavesOf({ ...set, [path]: other })];
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].filter((name) => before.get(name) !== after.get(name));
}

test.each(fields.map((row): [string, FieldRow] => [row.path, row]))('%s', (_path, row) => {
  const changed = changedBy(row);
  expect(changed.length > 0).toBe(row.effect === 'obeyed');
  const names = changed.flatMap((path) => path.split('.'));
  const isRead = (name: string): boolean =>
    readers.some((text) => new RegExp(`\\b${name}\\b`).test(text));
  expect(names.filter((name) => !isRead(name))).toEqual([]);
});
