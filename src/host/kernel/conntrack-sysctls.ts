// Connection tracking as configured: the configuration and the number of cores in, kernel settings out,
// and those that could not be written. A container often may not write them (kind's nodes are such): the
// proxy works all the same, with the limits that the host has.
import { readFile, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import type { ConntrackConfig } from '../../model/config.ts';
import type { Exec } from '../tools/exec.ts';
import { isWritable, sysctlFile, type SettingChange } from './sysctl.ts';

/** A file of the kernel with what is to be in it. */
export type KernelSetting = {
  /** As sysctl(8) names it, or the file where it is no sysctl. */
  readonly name: string;
  readonly file: string;
  readonly value: number;
  /** A greater value does as well. */
  readonly isMinimum: boolean;
};

/** Reads and writes files of the kernel. */
export type KernelFiles = {
  readonly read: (file: string) => Promise<string>;
  readonly write: (file: string, text: string) => Promise<void>;
};

/** A setting that is not what it should be. */
export type FailedSetting = { readonly setting: KernelSetting; readonly error: Error };

// What kube-proxy takes for enough, however many cores there are.
const mostEntries = 1_048_576;
// The kernel's own default of entries in one bucket of the table, before it counts as crowded.
const entriesPerBucket = 4;

/** The files of this machine, as this process sees them. */
export const kernelFiles: KernelFiles = {
  read: (file) => readFile(file, 'utf8'),
  write: (file, text) => writeFile(file, text),
};

/** How many connections are tracked; 0 where the kernel's own limit stays. */
export function conntrackMax(
  { maxPerCore, min }: Pick<ConntrackConfig, 'maxPerCore' | 'min'>,
  cores: number,
): number {
  if (maxPerCore === 0) return 0;
  const scaled = maxPerCore * cores;
  // As kube-proxy: what is cut is not raised to the minimum again.
  return scaled > mostEntries ? mostEntries : Math.max(scaled, min);
}

/** All settings that the configuration asks for, in the order in which kube-proxy writes them. */
export function conntrackSettings(
  config: ConntrackConfig,
  cores: number,
): readonly KernelSetting[] {
  const max = conntrackMax(config, cores);
  const buckets = Math.floor(max / entriesPerBucket);
  const hashSize = '/sys/module/nf_conntrack/parameters/hashsize';
  const seconds = (ms: number): number => Math.floor(ms / 1000);
  const wanted = [
    sysctl('nf_conntrack_max', max),
    { name: hashSize, file: hashSize, value: buckets, isMinimum: true },
    sysctl('nf_conntrack_tcp_timeout_established', seconds(config.tcpEstablishedTimeoutMs)),
    sysctl('nf_conntrack_tcp_timeout_close_wait', seconds(config.tcpCloseWaitTimeoutMs)),
    // What is not asked for is not taken back: someone else may need it.
    sysctl('nf_conntrack_tcp_be_liberal', config.tcpBeLiberal ? 1 : 0),
    sysctl('nf_conntrack_udp_timeout', seconds(config.udpTimeoutMs)),
    sysctl('nf_conntrack_udp_timeout_stream', seconds(config.udpStreamTimeoutMs)),
  ];
  return wanted.filter(({ value }) => value > 0);
}

/** Writes those that differ, in order; one that cannot be written does not keep the others from it. */
export async function applyKernelSettings(
  settings: readonly KernelSetting[],
  files: KernelFiles = kernelFiles,
): Promise<readonly FailedSetting[]> {
  const failed: FailedSetting[] = [];
  for (const setting of settings) {
    const { file, value } = setting;
    try {
      if (isMet(setting, await files.read(file))) continue;
      await files.write(file, String(value));
    } catch (error) {
      failed.push({ setting, error: error as Error });
    }
  }
  return failed;
}

function isMet({ value, isMinimum }: KernelSetting, text: string): boolean {
  const present = Number(text.trim());
  return present === value || (isMinimum && present > value);
}

/**
 * Those that applyKernelSettings would write. One that is not there comes with the first rules, which load
 * nf_conntrack; one that may not be written stays as it is.
 */
export async function differingSettings(
  exec: Exec,
  config: ConntrackConfig,
): Promise<readonly SettingChange[]> {
  const read = async (file: string): Promise<string> => (await exec('cat', [file])).stdout;
  const changes: SettingChange[] = [];
  for (const setting of conntrackSettings(config, await countCores({ read }))) {
    const { name, file, value } = setting;
    const text = await read(file).catch(() => undefined);
    if (text !== undefined && (isMet(setting, text) || !(await isWritable(exec, file)))) continue;
    changes.push({ name, before: text?.trim(), after: String(value) });
  }
  return changes;
}

/** The processors of this machine, also where this process may use but a part of them. */
export async function countCores(files: Pick<KernelFiles, 'read'> = kernelFiles): Promise<number> {
  try {
    const cores = coresIn(await files.read('/sys/devices/system/cpu/online'));
    if (cores > 0) return cores;
  } catch {
    // Then Node knows.
  }
  return cpus().length;
}

/** How many the kernel's list of processors names, such as `0-3,6`; 0 where it is no such list. */
export function coresIn(list: string): number {
  const counts = list
    .trim()
    .split(',')
    .map((range) => {
      const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(range) ?? [];
      return first === undefined ? 0 : Number(last) - Number(first) + 1;
    });
  return counts.reduce((sum, count) => sum + count, 0);
}

function sysctl(name: string, value: number): KernelSetting {
  const full = `net.netfilter.${name}`;
  return { name: full, file: sysctlFile(full), value, isMinimum: false };
}
