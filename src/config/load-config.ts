// The one Config that a command works with: what the command line says, and the file that --config names,
// in; a Config out, or all that is wrong with both.
import { readFile } from 'node:fs/promises';
import { printable } from '../cluster/problem.ts';
import { UsageError } from '../errors.ts';
import type { Config } from '../model/config.ts';
import { configFrom, configFromFlags, type ConfigFlags } from './config.ts';
import type { Value } from './field.ts';
import { fields, type FieldPath, type FieldValues } from './fields.ts';
import { readText } from './file/read-text.ts';
import { flagOrigin, type Origin } from './origin.ts';

/** What the command line says of the configuration. */
export type CommandLine = {
  readonly values: ConfigFlags & { readonly config: string };
  /** The names of the flags that were given. */
  readonly given: ReadonlySet<string>;
  readonly hostname: string;
};

/** A Config, and one line for each thing that was asked for and is not done. */
export type LoadedConfig = {
  readonly config: Config;
  readonly warnings: readonly string[];
  /** What is done, and may surprise who comes from kube-proxy. */
  readonly notes: readonly string[];
  /** What the Config was made of; undefined where that is flags alone. */
  readonly values: FieldValues | undefined;
};

/** Loads what the command line asks for; throws UsageError with a line for each fault. */
export async function loadConfig(line: CommandLine): Promise<LoadedConfig> {
  const { values, hostname } = line;
  if (values.config === '') {
    const config = configFromFlags(values, hostname);
    return { config, warnings: [], notes: [], values: undefined };
  }
  return configFromText(await textOf(values.config), line);
}

/** The text of the file; throws UsageError where it cannot be read. */
export async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    const why = reasons[code] ?? printable(message);
    throw new UsageError(`${printable(file)}: ${why}`, { cause: error });
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file',
  EISDIR: 'is a folder, not a file',
  EACCES: 'permission denied',
};

/** The Config that the text of the file and the command line make; throws UsageError likewise. */
export function configFromText(text: string, line: CommandLine): LoadedConfig {
  const { values: flags } = line;
  const read = readText(flags.config, text);
  if (!('values' in read)) throw new UsageError(read.faults.join('\n'));
  const { values, fromFlags } = withFlags(read.values, line);
  const { config, faults } = configFrom(values, contextOf(line, originOf(read.origin, fromFlags)));
  const all = [...read.faults, ...faults];
  if (all.length > 0) throw new UsageError(all.join('\n'));
  return { config, warnings: read.warnings, notes: read.notes, values };
}

/** What a Config depends on besides its fields, where faults are named as `origin` says. */
export function contextOf({ values: flags, hostname }: CommandLine, origin: Origin) {
  return { flags, hostname, origin };
}

function originOf(file: Origin, fromFlags: ReadonlySet<FieldPath>): Origin {
  const of = (path: FieldPath): Origin => (fromFlags.has(path) ? flagOrigin : file);
  return { placeOf: (path) => of(path).placeOf(path), nameOf: (path) => of(path).nameOf(path) };
}

/** The file's values, with those flags on top that kube-proxy obeys beside a file. */
function withFlags({ ...ofFile }: FieldValues, { values: flags, given }: CommandLine) {
  const values: Record<string, Value> = ofFile;
  const fromFlags = new Set<FieldPath>();
  const put = (path: FieldPath, value: Value): void => {
    values[path] = value;
    fromFlags.add(path);
  };
  if (flags['hostname-override'] !== '') put('hostnameOverride', flags['hostname-override']);
  const byFlag: Readonly<Record<string, Value>> = flags;
  for (const row of fields) {
    if (!row.path.startsWith('logging.') || !('flag' in row) || !given.has(row.flag)) continue;
    if (row.path === 'logging.vmodule') put(row.path, [...flags.vmodule, ...ofFile[row.path]]);
    else put(row.path, byFlag[row.flag]);
  }
  // The tables give a field and its flag one type.
  return { values: values as FieldValues, fromFlags };
}
