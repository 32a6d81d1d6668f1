// A configuration that is in force somewhere, with what the command line says on top: what a command works with
// that asks a daemon for its configuration.
import { UsageError } from '../errors.ts';
import type { Config } from '../model/config.ts';
import { hostPort } from '../model/forwarding.ts';
import { configFrom, type ConfigFlags } from './config.ts';
import type { Value } from './field.ts';
import { fields, type FieldPath, type FieldValues } from './fields.ts';
import { readFields } from './file/read-fields.ts';
import type { CommandLine } from './load-config.ts';
import { isOfOtherMode } from './mode-section.ts';
import { flagOrigin } from './origin.ts';

/** The Config with the flags that were given in place of its own values. Throws UsageError where one of them is faulty. */
export function configOver(base: Config, { values: flags, given }: CommandLine): Config {
  const paths = fields.flatMap((row) => ('flag' in row && given.has(row.flag) ? [row] : []));
  const others = ownFlags.filter((name) => given.has(name));
  if (paths.length === 0 && others.length === 0) return base;
  const byFlag: Readonly<Record<string, Value>> = flags;
  const values: Record<string, Value> = { ...readFields(base.document).values };
  for (const { path, flag } of paths) if (!isAddress(path)) values[path] = byFlag[flag];
  const { config, faults } = configFrom(values as FieldValues, {
    flags: {
      // Where its servers listen says nothing of its rules.
      'debug-bind-address': hostPort(base.debugBindAddress.ip, base.debugBindAddress.port),
      'nft-input': given.has('nft-input') ? flags['nft-input'] : base.nftInput,
      'service-counters': given.has('service-counters')
        ? flags['service-counters']
        : base.serviceCounters,
      master: given.has('master') ? flags.master : (base.clientConnection.master ?? ''),
    },
    hostname: base.nodeName,
    origin: flagOrigin,
  });
  if (faults.length > 0) throw new UsageError(faults.join('\n'));
  return config;
}

// Flags that no field stands for.
const ownFlags = [
  'nft-input',
  'service-counters',
  'master',
] as const satisfies (keyof ConfigFlags)[];

function isAddress(path: FieldPath): boolean {
  return path === 'metricsBindAddress' || path === 'healthzBindAddress';
}

/** The fields of the first one's mode that two configurations have different values for, as a file names them. */
export function differingFields(a: Config, b: Config): readonly string[] {
  const [one, other] = [a, b].map(({ document }) => readFields(document).values);
  return fields.flatMap(({ path }) =>
    isOfOtherMode(path, a.proxyMode) ||
    JSON.stringify(one?.[path]) === JSON.stringify(other?.[path])
      ? []
      : [path],
  );
}
