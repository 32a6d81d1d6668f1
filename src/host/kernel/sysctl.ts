// Kernel settings of this network namespace, as /proc/sys has them; nothing is changed here.
import type { Exec } from '../tools/exec.ts';

/** A setting that a start, or a clean-up, changes. */
export type SettingChange = {
  /** As sysctl(8) names it, or its file where it is no sysctl. */
  readonly name: string;
  /** Undefined: it is not there yet. */
  readonly before: string | undefined;
  readonly after: string;
};

/** Whether a file of the kernel may be written: many are read-only in a container, or a network namespace. */
export async function isWritable(exec: Exec, file: string): Promise<boolean> {
  const { exitCode } = await exec('sh', ['-c', '[ -w "$1" ]', 'sh', file], {
    allowedExitCodes: [1],
  });
  return exitCode === 0;
}

/** The file of a setting that is named as sysctl(8) names it. */
export function sysctlFile(name: string): string {
  return `/proc/sys/${name.replaceAll('.', '/')}`;
}

/** The value of a setting; undefined where this kernel has none of that name, or it may not be read. */
export async function readSysctl(exec: Exec, name: string): Promise<string | undefined> {
  try {
    const { stdout, exitCode } = await exec('cat', [sysctlFile(name)], { allowedExitCodes: [1] });
    return exitCode === 0 ? stdout.trim() : undefined;
  } catch {
    // What cannot be asked has its default for all we know.
    return undefined;
  }
}

/**
 * Whether conntrack calls no packet INVALID for being outside of TCP's window. To be read once, at
 * start, as kube-proxy does: rules that come and go with it would surprise.
 */
export async function isTcpLiberal(exec: Exec): Promise<boolean> {
  const value = await readSysctl(exec, 'net.netfilter.nf_conntrack_tcp_be_liberal');
  return value !== undefined && value !== '0';
}
