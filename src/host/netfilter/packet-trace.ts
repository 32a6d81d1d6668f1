// Has the kernel report what one flow's packets meet: a table of our own that marks them for tracing, and
// `nft monitor trace`. The table belongs to a process of nft's, and is gone when that is: also where this
// one is killed.
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { ToolError } from '../../errors.ts';
import type { Family, Ip } from '../../model/ip.ts';
import type { Protocol } from '../../model/kubernetes.ts';
import type { TraceEvent } from '../../netfilter/parse-trace.ts';
import { parseTraceLine } from '../../netfilter/parse-trace.ts';
import { missingTool, withRights } from '../tools/exec.ts';

/** The table; in the family of the flow. */
export const traceTable = 'sluice-trace';

/** Its chains: before and behind all others at their hooks. */
export const traceChains = {
  start: 'start',
  endPostrouting: 'end-postrouting',
  endInput: 'end-input',
} as const;

/** Which packets are traced: the first ones of connections that match all that is given. */
export type TracedFlow = {
  readonly family: Family;
  readonly origin: 'node' | 'elsewhere';
  readonly protocol: Protocol;
  /** Undefined: whoever is not this host. */
  readonly source: Ip | undefined;
  readonly sourcePort: number | undefined;
  readonly destination: Ip;
  readonly port: number;
};

export type TraceOptions = {
  readonly signal: AbortSignal;
  /** How long `use` takes at most. */
  readonly timeoutMs: number;
  /** Called with every event of the flow, and of others that somebody else traces. */
  readonly onEvent: (event: TraceEvent) => void;
};

/**
 * Calls `use` while the flow's packets are traced; the signal should end `use`, too. Throws ToolError where
 * nft cannot do that.
 */
export async function whileTracing<R>(
  flow: TracedFlow,
  { signal, timeoutMs, onEvent }: TraceOptions,
  use: () => Promise<R>,
): Promise<R> {
  const before = await traceListeners();
  const limit = String(Math.ceil(timeoutMs / 1000) + graceSeconds);
  // Where this process is killed it would listen on for ever: nothing comes that it could not write.
  const monitor = start('timeout', [limit, 'nft', 'monitor', 'trace']);
  const listening = listen(monitor, onEvent);
  const monitorEnd = endOf(monitor, 'nft monitor trace');
  let table: Nft | undefined;
  try {
    await Promise.race([untilListening(before, signal), monitorEnd]);
    table = start('nft', ['-i']);
    const tableEnd = endOf(table, 'nft -i');
    await Promise.race([untilReady(table, tableText(flow)), tableEnd]);
    return await Promise.race([use(), monitorEnd, tableEnd]);
  } finally {
    monitor.kill();
    // The end of its input is the end of nft, and of what it owns.
    table?.stdin?.end();
    await Promise.allSettled([monitor, table, listening]);
  }
}

type Nft = ReturnType<typeof start>;

function start(file: string, args: readonly string[]) {
  return execa(file, args, {
    reject: false,
    buffer: { stdout: false },
    // A Ctrl-C at the terminal is ours to take, in order.
    detached: true,
  });
}

async function listen(monitor: Nft, onEvent: TraceOptions['onEvent']): Promise<void> {
  for await (const line of monitor.iterable()) {
    const event = parseTraceLine(line);
    if (event !== undefined) onEvent(event);
  }
}

// Far before anything else, conntrack's work too; and behind all, but for conntrack's last.
const priorities = { start: -500, end: 2_147_483_646 } as const;

function tableText(flow: TracedFlow): string {
  const at = `${flow.family === 'IPv4' ? 'ip' : 'ip6'} ${traceTable}`;
  const hook = flow.origin === 'node' ? 'output' : 'prerouting';
  const base = (name: string, on: string, priority: number): string =>
    `add chain ${at} ${name} { type filter hook ${on} priority ${priority}; }`;
  return [
    `add table ${at} { flags owner; }`,
    base(traceChains.endPostrouting, 'postrouting', priorities.end),
    base(traceChains.endInput, 'input', priorities.end),
    base(traceChains.start, hook, priorities.start),
    `add rule ${at} ${traceChains.start} ${matchText(flow)} limit rate 5/second burst 5 packets meta nftrace set 1`,
    `add chain ${at} ready`,
    `list chain ${at} ready`,
    '',
  ].join('\n');
}

function matchText({
  family,
  protocol,
  source,
  sourcePort,
  destination,
  port,
}: TracedFlow): string {
  const word = family === 'IPv4' ? 'ip' : 'ip6';
  return [
    source === undefined ? 'fib saddr type != local' : `${word} saddr ${source}`,
    `${word} daddr ${destination}`,
    ...(sourcePort === undefined ? [] : [`${protocol} sport ${sourcePort}`]),
    `${protocol} dport ${port}`,
    ...(protocol === 'tcp' ? ['tcp flags & (syn | ack) == syn'] : []),
  ].join(' ');
}

// What it takes nft to read all rules of a large host.
const readyTimeoutMs = 30_000;
const graceSeconds = 60;
const lookEveryMs = 10;

/** Waits until nft hears traces: what it prints does not show it, but its socket does. */
async function untilListening(before: ReadonlySet<string>, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + readyTimeoutMs;
  while (performance.now() < deadline && !signal.aborted) {
    const now = await traceListeners();
    if ([...now].some((socket) => !before.has(socket))) return;
    await delay(lookEveryMs);
  }
  const why = signal.aborted ? 'interrupted' : 'it does not listen';
  throw failure('nft monitor trace', why, '');
}

const netfilterProtocol = '12';
// NFNLGRP_NFTRACE is the ninth group.
const traceGroup = 0x100;

/** The inodes of sockets that hear traces in this network namespace. */
async function traceListeners(): Promise<ReadonlySet<string>> {
  const text = await readFile('/proc/self/net/netlink', 'utf8');
  const rows = text.split('\n').map((line) => line.trim().split(/\s+/));
  const listening = rows.filter(
    ([, protocol, , groups = '0']) =>
      protocol === netfilterProtocol && (Number.parseInt(groups, 16) & traceGroup) !== 0,
  );
  return new Set(listening.map((row) => row.at(-1) ?? ''));
}

/** Hands nft the table, and waits until it lists the last chain of it. */
async function untilReady(table: Nft, text: string): Promise<void> {
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  let printed = '';
  table.stdout?.on('data', (piece: Buffer) => {
    printed += piece.toString('utf8');
    if (/chain ready \{/.test(printed)) resolve();
  });
  let complaint = '';
  const { promise: refused, reject } = Promise.withResolvers<never>();
  table.stderr?.on('data', (piece: Buffer) => {
    complaint += piece.toString('utf8');
    // Without a terminal it may complain of that as well.
    const at = complaint.indexOf('Error: ');
    if (at >= 0) reject(failure('nft -i', complaint.slice(at), text));
  });
  const late = setTimeout(
    () => reject(failure('nft -i', 'it does not answer', text)),
    readyTimeoutMs,
  );
  table.stdin?.on('error', () => {});
  table.stdin?.write(text);
  try {
    await Promise.race([ready, refused]);
  } finally {
    clearTimeout(late);
    refused.catch(() => {});
  }
}

/** Rejects when nft ends, which it should not until it is stopped. */
function endOf(nft: Nft, command: string): Promise<never> {
  const ended = nft.then((end) => {
    const { stderr, originalMessage = 'it has ended', code } = end as unknown as EndedNft;
    if (code === 'ENOENT') throw missingTool('nft');
    throw failure(command, stderr || originalMessage, '');
  });
  // Once it was stopped, nobody waits for this.
  ended.catch(() => {});
  return ended;
}

type EndedNft = {
  readonly stderr?: string;
  readonly originalMessage?: string;
  readonly code?: string;
};

function failure(command: string, complaint: string, input: string): ToolError {
  const [first = ''] = complaint.trim().split('\n');
  const isTaken = /operation not permitted|device or resource busy/i.test(complaint);
  const hint = isTaken ? '; or another trace goes on here: its table is sluice-trace' : '';
  const details = { command, exitCode: undefined, stderr: complaint, input };
  return new ToolError(withRights(`${command}: ${first}`) + hint, details);
}
