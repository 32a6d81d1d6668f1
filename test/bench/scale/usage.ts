// What a process has used so far, as the kernel tells.
import { readFile } from 'node:fs/promises';

/** Its own processor time and that of its ended children; resident memory now, and the most so far. */
export type Usage = {
  readonly cpuMs: number;
  readonly childrenCpuMs: number;
  readonly residentMb: number;
  readonly peakMb: number;
};

// The unit of /proc/PID/stat, the same on every Linux that Node runs on.
const tickMs = 10;

/** Reads it. */
export async function usageOf(pid: number): Promise<Usage> {
  const [stat, status] = await Promise.all([
    readFile(`/proc/${pid}/stat`, 'utf8'),
    readFile(`/proc/${pid}/status`, 'utf8'),
  ]);
  // After the name, which may hold anything, field 3 comes first.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = (field: number): number => Number(fields[field - 3]) * tickMs;
  const megabytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]) / 1024;
  return {
    cpuMs: ticks(14) + ticks(15),
    childrenCpuMs: ticks(16) + ticks(17),
    residentMb: megabytes('VmRSS'),
    peakMb: megabytes('VmHWM'),
  };
}
