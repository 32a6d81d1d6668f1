// What the configuration asks of this host besides rules: connection tracking, and how late the kernel ends us
// when memory is short.
import type { Logger } from 'pino';
import {
  applyKernelSettings,
  conntrackSettings,
  countCores,
  type KernelFiles,
  type KernelSetting,
} from '../host/kernel/conntrack-sysctls.ts';
import { setOomScoreAdj } from '../host/kernel/oom-score.ts';
import type { Config } from '../model/config.ts';
import type { DaemonPart } from './daemon-part.ts';
import { whereInStep } from './pass.ts';

/** What host settings are made from. */
export type HostSettingsOptions = {
  readonly config: Pick<Config, 'conntrack' | 'oomScoreAdj'>;
  readonly files: KernelFiles;
  readonly log: Logger;
};

/**
 * Sets up this host as configured. A setting that may not be written stays as it is, with a warning: the rules
 * work all the same. The settings of connection tracking come with nf_conntrack, which the first rules load:
 * those that are missing before are set once rules are in force.
 */
export function hostSettingsPart({ config, files, log }: HostSettingsOptions): DaemonPart {
  const { conntrack, oomScoreAdj } = config;
  let missing: readonly KernelSetting[] = [];
  return {
    async prepare() {
      const settings = conntrackSettings(conntrack, await countCores(files));
      for (const { setting, error } of await applyKernelSettings(settings, files)) {
        if (isMissing(error)) missing = [...missing, setting];
        else warn(log, setting, error);
      }
      try {
        await setOomScoreAdj(oomScoreAdj, files);
      } catch (error) {
        log.warn({ oomScoreAdj, error: (error as Error).message }, unchanged);
      }
    },
    ...whereInStep(async () => {
      const again = missing;
      missing = [];
      const failed = await applyKernelSettings(again, files);
      for (const { setting, error } of failed) warn(log, setting, error);
    }),
  };
}

const unchanged = 'left as it is: cannot be set';

function warn(log: Logger, { name, value }: KernelSetting, { message }: Error): void {
  log.warn({ setting: name, value, error: message }, unchanged);
}

function isMissing(error: NodeJS.ErrnoException): boolean {
  return error.code === 'ENOENT';
}
