// Configurations for the tests of this folder: a file's text, or flags, in; a Config or the faults out.
import { parseArgs } from '../../../src/cli/arguments/args.ts';
import { configFromFlags } from '../../../src/config/config.ts';
import {
  configFromText,
  type CommandLine,
  type LoadedConfig,
} from '../../../src/config/load-config.ts';
import { UsageError } from '../../../src/errors.ts';
import type { Config } from '../../../src/model/config.ts';

/** The first two lines of every file. */
export const header =
  'apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n';

/** The command line with --config and these flags, on a host called `host`. */
export function lineFor(flags: readonly string[] = [], file = 'FILE'): CommandLine {
  const { values, given } = parseArgs(['run', '--config', file, ...flags]);
  return { values, given, hostname: 'host' };
}

/** What a file makes whose text, after the header, is `body`: its fields start at line 3. */
export function loaded(body: string, flags: readonly string[] = []): LoadedConfig {
  return configFromText(`${header}${body}`, lineFor(flags));
}

/** What flags alone make. */
export function fromFlags(flags: readonly string[], hostname = 'host'): Config {
  return configFromFlags(parseArgs(['run', ...flags]).values, hostname);
}

/** The faults of a file. */
export function faultsOf(body: string, flags: readonly string[] = []): readonly string[] {
  return faultsIn(() => loaded(body, flags));
}

/** The lines of the UsageError that `load` throws, or none. */
export function faultsIn(load: () => unknown): readonly string[] {
  try {
    load();
  } catch (error) {
    if (error instanceof UsageError) return error.message.split('\n');
    throw error;
  }
  return [];
}
