// What the configuration asks of this host besides rules: connection tracking, and how late the kernel ends us
// when memory is short.
import type { Logger } from 'pino';
import {
  applyKernelSettings,
  conntrackSettings,
  countCores,
  type KernelFiles,
  kernelFiles,
  type KernelSetting,
} from '../host/kernel/conntrack-sysctls.ts';
import { setOomScoreAdj } from '../host/kernel/oom-score.ts';
import type { Config } from '../model/config.ts';
import type { Follower } from './pass.ts';

/** What of the configuration is for the host. */
export type HostConfig = Pick<Config, 'conntrack' | 'oomScoreAdj'>;

/**
 * Sets up this host as configured. A setting that may not be written stays as it is, with a warning: the rules
 * work all the same. The settings of connection tracking come with nf_conntrack, which the first rules load:
 * those that are missing now are set by the follower once rules are in force.
 */
export async function prepareHost(
  { conntrack, oomScoreAdj }: HostConfig,
  log: Logger,
  files: KernelFiles = kernelFiles,
): Promise<Follower> {
  let missing: readonly KernelSetting[] = [];
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
  return async () => {
    const again = missing;
    missing = [];
    const failed = await applyKernelSettings(again, files);
    for (const { setting, error } of failed) warn(log, setting, error);
  };
}

const unchanged = 'left as it is: cannot be set';

function warn(log: Logger, { name, value }: KernelSetting, { message }: Error): void {
  log.warn({ setting: name, value, error: message }, unchanged);
}

function isMissing(error: NodeJS.ErrnoException): boolean {
  return error.code === 'ENOENT';
}
