// The log: pino's JSON lines for programs, one readable line each on a terminal.
import { styleText } from 'node:util';
import type { Logger } from 'pino';
import { pino, stdSerializers } from 'pino';

/** Where and how much is logged; `verbosity` as kube-proxy's -v: from 2 on, details too. */
export type LogOptions = { readonly stream: NodeJS.WritableStream; readonly verbosity: number };

/** A logger that writes to `stream` at once. */
export function createLog({ stream, verbosity }: LogOptions): Logger {
  const isTerminal = 'isTTY' in stream && stream.isTTY === true;
  const write = (line: string): void =>
    void stream.write(isTerminal ? readable(line, stream) : line);
  const level = verbosity >= 2 ? 'debug' : 'info';
  const serializers = { err: stdSerializers.err };
  return pino(
    { level, base: {}, serializers, timestamp: pino.stdTimeFunctions.isoTime },
    { write },
  );
}

const levelColours = { 20: 'dim', 30: 'green', 40: 'yellow', 50: 'red' } as const;

function readable(line: string, stream: NodeJS.WritableStream): string {
  const { level, time, msg, err, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const colour = levelColours[level as keyof typeof levelColours] ?? 'red';
  const details = Object.entries(fields).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  const cause = (err as { message?: string } | undefined)?.message;
  const parts = [String(time).slice(11, 23), styleText(colour, String(msg), { stream })];
  return `${[...parts, cause, styleText('dim', details.join(' '), { stream })].filter(Boolean).join(' ')}\n`;
}
