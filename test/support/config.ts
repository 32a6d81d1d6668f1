// The Config that the daemon of the tests gets from its command line.
import { parseArgs } from '../../src/cli/arguments/args.ts';
import { configFromFlags } from '../../src/config/config.ts';
import type { Config, ProxyMode } from '../../src/model/config.ts';
import { flagsFor } from './network-namespace.ts';

/** The Config of node-1 for a mode and more flags. */
export function configFor(mode: ProxyMode, flags: readonly string[] = []): Config {
  return configFromFlags(parseArgs(['run', ...flagsFor(mode), ...flags]).values, 'node-1');
}
