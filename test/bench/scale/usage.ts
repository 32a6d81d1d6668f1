// What a process and those that it has started use, as the kernel tells.
import { readdir, readFile } from 'node:fs/promises';

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
  return {
    cpuMs: ticks(14) + ticks(15),
    childrenCpuMs: ticks(16) + ticks(17),
    residentMb: megabytes(status, 'VmRSS'),
    peakMb: megabytes(status, 'VmHWM'),
  };
}

function megabytes(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0) / 1024;
}

/** Resident memory of a process and of all that it has started, together. */
export async function residentMbOfAll(pid: number): Promise<number> {
  try {
    const [status, threads] = await Promise.all([
      readFile(`/proc/${pid}/status`, 'utf8'),
      readdir(`/proc/${pid}/task`),
    ]);
    const children = await Promise.all(
      threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, 'utf8')),
    );
    const pids = children.flatMap((text) => text.split(' ').filter(Boolean)).map(Number);
    const theirs = await Promise.all(pids.map(residentMbOfAll));
    return theirs.reduce((sum, each) => sum + each, megabytes(status, 'VmRSS'));
  } catch {
    // It has ended meanwhile.
    return 0;
  }
}

/** Looks at the memory of all of them again and again, until it is asked for the most that there was so far. */
export function watchPeak(pid: number): () => number {
  let [most, isLooking] = [0, false];
  const timer = setInterval(() => {
    if (isLooking) return;
    isLooking = true;
    void residentMbOfAll(pid).then((mb) => {
      most = Math.max(most, mb);
      isLooking = false;
    });
  }, lookEveryMs);
  return () => {
    clearInterval(timer);
    return most;
  };
}

const lookEveryMs = 20;
