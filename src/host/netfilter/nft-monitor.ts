// Listens to `nft monitor`, in text: that alone names the process that made a change. Nothing is kept; what
// comes is handed over line by line, as fast as it comes.
import { readFile, readlink } from 'node:fs/promises';
import { constants, setPriority } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { ToolError } from '../../errors.ts';
import { missingTool, withRights } from '../tools/exec.ts';

export type MonitorOptions = {
  /** Is called with the start of each line: enough to tell what it is about. */
  readonly onLine: (line: string) => void;
  /** Is called once, when nothing that happens from then on is missed. */
  readonly onListening: () => void;
  readonly signal: AbortSignal;
};

/**
 * Listens until the signal comes. Throws MissingToolError where nft is not installed, ToolError where it ends
 * by itself, or takes more memory than it may.
 */
export type FollowMonitor = (options: MonitorOptions) => Promise<void>;

const command = 'nft monitor';

// It keeps a copy of all elements of all tables: 97 MB where there are 10,000 Services of 5 endpoints.
const mostMemoryKb = 160 * 1024;
const memoryPeriodMs = 60_000;

/** Listens in this network namespace. */
export const followNftMonitor: FollowMonitor = async ({ onLine, onListening, signal }) => {
  if (signal.aborted) return;
  const before = await listeners();
  const ending = new AbortController();
  const child = execa('nft', ['monitor'], {
    stdin: 'ignore',
    buffer: { stdout: false },
    reject: false,
    cancelSignal: AbortSignal.any([signal, ending.signal]),
  });
  giveWay(child.pid);
  child.stdout.on('data', lineReader(onLine));
  let excess = '';
  const weigh = async (): Promise<void> => {
    const kb = await residentKb(child.pid);
    if (kb <= mostMemoryKb) return;
    excess = `it takes ${Math.round(kb / 1024)} MiB of memory`;
    ending.abort();
  };
  const timer = setInterval(() => void weigh(), memoryPeriodMs).unref();
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  const listening = untilListening(before, ended).then(
    (isListening) => isListening && onListening(),
  );
  const end = await child;
  clearInterval(timer);
  resolve();
  await listening;
  if (signal.aborted) return;
  const { code, stderr, originalMessage } = end as unknown as Ended;
  if (code === 'ENOENT') throw missingTool('nft');
  const why = excess || stderr?.trim().split('\n')[0] || originalMessage || 'it has ended';
  const details = { command, exitCode: end.exitCode, stderr: stderr ?? '', input: '' };
  throw new ToolError(withRights(`${command}: ${why}`), details);
};

// While all rules of a large cluster are loaded it has as much to do as who loads them, and can wait.
function giveWay(pid: number | undefined): void {
  try {
    if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // It has ended, or this host does not allow it.
  }
}

type Ended = {
  readonly code?: string;
  readonly stderr?: string;
  readonly originalMessage?: string;
};

// What a line is about stands at its start, and how a transaction ends is short.
const keptOfLine = 512;

/** Takes the output piece by piece; of a line that is very long no more is kept than is told. */
export function lineReader(onLine: (line: string) => void): (piece: Buffer) => void {
  let rest = '';
  return (piece) => {
    // Names and numbers are ASCII; whatever else there is has a byte a character.
    const text = piece.toString('latin1');
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      const line = rest + text.slice(start, Math.min(end, start + keptOfLine));
      rest = '';
      start = end + 1;
      onLine(line.slice(0, keptOfLine));
    }
    if (rest.length < keptOfLine) rest += text.slice(start, start + keptOfLine);
  };
}

const firstLookMs = 5;
const longestLookMs = 200;

/** Waits until nft hears of changes, which its socket tells and nothing that it prints; false: it ended. */
async function untilListening(before: ReadonlySet<string>, ended: Promise<void>): Promise<boolean> {
  let hasEnded = false;
  void ended.then(() => (hasEnded = true));
  for (let waitMs = firstLookMs; !hasEnded; waitMs = Math.min(waitMs * 2, longestLookMs)) {
    if ([...(await listeners())].some((socket) => !before.has(socket))) return true;
    await Promise.race([ended, delay(waitMs, undefined, { ref: false })]);
  }
  return false;
}

const netfilterProtocol = '12';
// NFNLGRP_NFTABLES is the seventh group.
const tablesGroup = 0x40;

/** The inodes of sockets that hear of changes in this network namespace. */
async function listeners(): Promise<ReadonlySet<string>> {
  const text = await readFile('/proc/self/net/netlink', 'utf8');
  const rows = text.split('\n').map((line) => line.trim().split(/\s+/));
  const listening = rows.filter(
    ([, protocol, , groups = '0']) =>
      protocol === netfilterProtocol && (Number.parseInt(groups, 16) & tablesGroup) !== 0,
  );
  return new Set(listening.map((row) => row.at(-1) ?? ''));
}

async function residentKb(pid: number | undefined): Promise<number> {
  try {
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0);
  } catch {
    // It has ended.
    return 0;
  }
}

/** Whether ids of processes are those of the whole machine here, as the kernel tells them of others. */
export async function seesMachinePids(): Promise<boolean> {
  // The number of the first pid namespace is a constant of the kernel (PROC_PID_INIT_INO).
  return (await readlink('/proc/self/ns/pid')) === 'pid:[4026531836]';
}
