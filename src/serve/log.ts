// The log: pino's JSON lines for programs, one readable line each for people.
import { styleText } from 'node:util';
import type { LogFn, Logger } from 'pino';
import { pino, stdSerializers } from 'pino';
import { SluiceError } from '../errors.ts';
import type { LoggingConfig } from '../model/config.ts';
import { LineLimit, linesPerSecond } from './line-limit.ts';

/** Where and how much is logged; `verbosity` as kube-proxy's -v: from 2 on, details too. */
export type LogOptions = {
  readonly stream: NodeJS.WritableStream;
  readonly verbosity: number;
  readonly format?: LoggingConfig['format'];
};

/** Whether a log in this format has JSON lines there. */
export function isJsonLog(format: LoggingConfig['format'], stream: NodeJS.WritableStream): boolean {
  return format === 'json' || (format === 'auto' && !isTerminal(stream));
}

/** A logger that writes to `stream` at once. */
export function createLog({ stream, verbosity, format = 'auto' }: LogOptions): Logger {
  const isJson = isJsonLog(format, stream);
  const write = (line: string): void => void stream.write(isJson ? line : readable(line, stream));
  const options = {
    level: verbosity >= 2 ? 'debug' : 'info',
    base: {},
    serializers: { err: plainError },
    formatters: { level: (level: string) => ({ level }) },
    timestamp: pino.stdTimeFunctions.isoTime,
    hooks: {
      logMethod(this: Logger, args: Parameters<LogFn>, method: LogFn, level: number): void {
        if (level >= fatalLevel || limit.take()) method.apply(this, args);
      },
    },
  };
  const log: Logger = pino(options, { write });
  const limit = new LineLimit({
    now: () => performance.now(),
    later: (callback, ms) => void setTimeout(callback, ms).unref(),
    onLeftOut: (lines) =>
      log.warn({ lines }, `more than ${linesPerSecond} lines in a second; left out`),
  });
  return log;
}

const fatalLevel = 60;

function isTerminal(stream: NodeJS.WritableStream): boolean {
  return 'isTTY' in stream && stream.isTTY === true;
}

// A stack is for a bug of ours: what the system or a tool refuses has its cause in the message.
function plainError(error: Error): object {
  const { stack, ...others } = stdSerializers.err(error);
  // In the built file the constructors have other names.
  const rest = { ...others, type: error.name };
  const isBug = !(error instanceof SluiceError) && !('syscall' in error);
  return isBug ? { ...rest, stack } : rest;
}

const levelColours = { debug: 'dim', info: 'green', warn: 'yellow', error: 'red' } as const;

function readable(line: string, stream: NodeJS.WritableStream): string {
  const { level, time, msg, err, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const colour = levelColours[level as keyof typeof levelColours] ?? 'red';
  const details = Object.entries(fields).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  const cause = (err as { message?: string } | undefined)?.message;
  // Who looks at a terminal knows the day.
  const when = isTerminal(stream) ? String(time).slice(11, 23) : String(time);
  const name = styleText(colour, String(level).toUpperCase().padEnd(5), { stream });
  const more = details.length === 0 ? '' : styleText('dim', details.join(' '), { stream });
  return `${[when, name, msg, cause, more].filter(Boolean).join(' ')}\n`;
}
