// `sluice top`: asks a running daemon again and again what the kernel counted. Changes nothing.
import { setTimeout as delay } from 'node:timers/promises';
import type { ReadStream } from 'node:tty';
import type { Connections } from '../../model/connections.ts';
import { connectionsPath, connectionsVersion } from '../../model/connections.ts';
import { askDaemon } from '../input/ask-daemon.ts';
import type { Io } from '../io.ts';
import { exitCodes } from '../io.ts';
import { paintFor } from '../report/print-plan.ts';
import type { SortBy } from './rates.ts';
import { ratesBetween } from './rates.ts';
import { topText } from './top-text.ts';

export type TopOptions = {
  /** The address of its debug server. */
  readonly daemon: string;
  /** Prints once, on a terminal too. */
  readonly once: boolean;
  readonly sort: SortBy;
  readonly output: 'text' | 'json';
};

const onceMs = 1000;
const refreshMs = 2000;
const endKeys: ReadonlySet<number> = new Set([3, ...Buffer.from('qQ')]);
const clear = '\u001B[H\u001B[J';

/** Prints until it is ended, where a person looks; else once. */
export async function topCommand(options: TopOptions, io: Io): Promise<number> {
  const { daemon, once, output } = options;
  const ended = new AbortController();
  const signal = AbortSignal.any([io.signal, ended.signal]);
  const ask = () => askDaemon({ daemon, path: connectionsPath }, isConnections, { ...io, signal });
  const isWatched = !once && output === 'text' && isTerminal(io.stdout);
  const leave = isWatched ? onKey(io.stdin, () => ended.abort()) : () => {};
  try {
    let before = await ask();
    for (let waitMs = onceMs; ; waitMs = refreshMs) {
      await delay(waitMs, undefined, { signal });
      const after = await ask();
      show(before, after, { options, io, isWatched });
      if (!isWatched) return exitCodes.same;
      before = after;
    }
  } catch (error) {
    // Whoever had enough has seen it.
    if (signal.aborted) return exitCodes.same;
    throw error;
  } finally {
    leave();
  }
}

function show(
  before: Connections,
  after: Connections,
  { options, io: { stdout }, isWatched }: Shown,
): void {
  const rates = ratesBetween(before, after, options.sort);
  if (options.output === 'json') {
    const { mode, counters } = after;
    const seconds = (after.atMs - before.atMs) / 1000;
    stdout.write(`${JSON.stringify({ mode, counters, seconds, ports: rates }, null, 2)}\n`);
    return;
  }
  const rows = 'rows' in stdout && typeof stdout.rows === 'number' ? stdout.rows : undefined;
  const size = isWatched && rows !== undefined ? { lines: rows } : {};
  const text = topText(after, rates, { paint: paintFor(stdout), ...size });
  stdout.write(isWatched ? `${clear}${text}` : text);
}

type Shown = { readonly options: TopOptions; readonly io: Io; readonly isWatched: boolean };

function isTerminal(stream: NodeJS.WritableStream): boolean {
  return 'isTTY' in stream && stream.isTTY === true;
}

/** Calls `end` at q or Ctrl-C; returns what gives the terminal back. */
function onKey(stdin: NodeJS.ReadableStream, end: () => void): () => void {
  if (!('setRawMode' in stdin)) return () => {};
  const terminal = stdin as ReadStream;
  const onData = (data: Buffer): void => {
    // Ctrl-C is a key like any other while keys are read one by one.
    if (data.some((byte) => endKeys.has(byte))) end();
  };
  terminal.setRawMode(true);
  terminal.on('data', onData);
  return () => {
    terminal.off('data', onData);
    terminal.setRawMode(false);
    terminal.pause();
  };
}

function isConnections(body: unknown): body is Connections {
  const { version, ports } = (typeof body === 'object' && body !== null ? body : {}) as Partial<
    Record<keyof Connections, unknown>
  >;
  return version === connectionsVersion && Array.isArray(ports);
}
