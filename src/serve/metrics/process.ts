// What every process reports of itself, under the names that all exporters use. Read from the kernel when
// asked for: the collectors that come with prom-client wake the process a hundred times a second.
import { readdirSync, readFileSync } from 'node:fs';
import { getHeapStatistics } from 'node:v8';
import type { Definer } from './registry.ts';

// What the kernel counts times in, towards programs, on every Linux.
const ticksPerSecond = 100;

/** What /proc says of a process. */
export type ProcessStatus = {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  readonly virtualBytes: number;
  /** Since the machine started. */
  readonly startSeconds: number;
};

/** Reads the text of /proc/PID/stat and /proc/PID/status. */
export function parseProcess(stat: string, status: string): ProcessStatus {
  // The name of the program may hold anything, also blanks and parentheses.
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  // As proc(5) counts them from 1: utime 14, stime 15, starttime 22. Two of them are cut off.
  const seconds = (field: number): number => (fields[field - 3] ?? 0) / ticksPerSecond;
  const bytes = (name: string): number =>
    1024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0);
  return {
    cpuSeconds: seconds(14) + seconds(15),
    residentBytes: bytes('VmRSS'),
    virtualBytes: bytes('VmSize'),
    startSeconds: seconds(22),
  };
}

/** Defines the process_ metrics of this process, and what its heap takes. */
export function processMetrics({ reading }: Definer, proc = '/proc'): void {
  const read = (name: string): string => readFileSync(`${proc}/${name}`, 'utf8');
  const status = (): ProcessStatus => parseProcess(read('self/stat'), read('self/status'));
  const bootSeconds = Number(/^btime (\d+)$/m.exec(read('stat'))?.[1] ?? 0);
  const gauge = (name: string, help: string, value: () => number): void =>
    reading('gauge', { name, help, read: (note) => note(value()) });
  reading('counter', {
    name: 'process_cpu_seconds_total',
    help: 'Time on a processor, of this process without the tools that it runs',
    read: (note) => note(status().cpuSeconds),
  });
  gauge('process_resident_memory_bytes', 'Memory in use', () => status().residentBytes);
  gauge('process_virtual_memory_bytes', 'Address space in use', () => status().virtualBytes);
  gauge(
    'process_start_time_seconds',
    'When this process started',
    () => bootSeconds + status().startSeconds,
  );
  gauge('process_open_fds', 'Open files', () => readdirSync(`${proc}/self/fd`).length);
  gauge(
    'nodejs_heap_size_used_bytes',
    'Part of the heap that holds objects',
    () => getHeapStatistics().used_heap_size,
  );
  gauge(
    'nodejs_heap_size_total_bytes',
    'Size of the heap',
    () => getHeapStatistics().total_heap_size,
  );
}
