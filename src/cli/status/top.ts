// `sluice top`: asks a running daemon again and again what the kernel counted. Changes nothing.
import { setTimeout as delay } from 'node:timers/promises';
import type { Connections } from '../../model/connections.ts';
import { connectionsPath, connectionsVersion } from '../../model/connections.ts';
import { askDaemon } from '../input/ask-daemon.ts';
import type { Io } from '../io.ts';
import { exitCodes } from '../io.ts';
import { paintFor } from '../report/print-plan.ts';
import type { SortBy } from './rates.ts';
import { ratesBetween } from './rates.ts';
import { showReadings } from './top-screen.ts';
import { topText, type Reading } from './top-text.ts';

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

/** Shows it until it is ended, where a person looks; else prints it once. */
export async function topCommand(options: TopOptions, io: Io): Promise<number> {
  const ended = new AbortController();
  const signal = AbortSignal.any([io.signal, ended.signal]);
  const readings = readingsOf(options, { ...io, signal });
  const isWatched = !options.once && options.output === 'text' && isTerminal(io.stdout);
  try {
    if (isWatched) await showReadings(readings, io, () => ended.abort());
    else await printFirst(readings, options, io);
  } catch (error) {
    // Whoever had enough has seen it.
    if (!signal.aborted) throw error;
  }
  return exitCodes.same;
}

/** A reading after a second, then one every two, without end. */
async function* readingsOf(
  { daemon, sort }: TopOptions,
  asking: Pick<Io, 'fetch' | 'signal'>,
): AsyncGenerator<Reading & { readonly seconds: number }> {
  const ask = () => askDaemon({ daemon, path: connectionsPath }, isConnections, asking);
  let before = await ask();
  for (let waitMs = onceMs; ; waitMs = refreshMs) {
    await delay(waitMs, undefined, { signal: asking.signal });
    const connections = await ask();
    const seconds = (connections.atMs - before.atMs) / 1000;
    yield { connections, seconds, rates: ratesBetween(before, connections, sort) };
    before = connections;
  }
}

async function printFirst(
  readings: ReturnType<typeof readingsOf>,
  { output }: TopOptions,
  { stdout }: Io,
): Promise<void> {
  for await (const reading of readings) {
    const { connections, rates: ports, seconds } = reading;
    const { mode, counters } = connections;
    stdout.write(
      output === 'json'
        ? `${JSON.stringify({ mode, counters, seconds, ports }, null, 2)}\n`
        : topText(reading, paintFor(stdout)),
    );
    return;
  }
}

function isTerminal(stream: NodeJS.WritableStream): boolean {
  return 'isTTY' in stream && stream.isTTY === true;
}

function isConnections(body: unknown): body is Connections {
  const { version, ports } = (typeof body === 'object' && body !== null ? body : {}) as Partial<
    Record<keyof Connections, unknown>
  >;
  return version === connectionsVersion && Array.isArray(ports);
}
