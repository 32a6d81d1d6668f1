// Reads the body of an answer: as bytes while they come, as one text of bounded length, or as the reason
// for which the server refused.
import type { IncomingMessage } from 'node:http';
import { STATUS_CODES } from 'node:http';
import { ApiError } from '../../../errors.ts';
import { printable } from '../../problem.ts';
import type { Clock } from '../clock.ts';
import { Silence } from './silence.ts';

const longestRefusal = 64 * 1024;
const longestRetryAfterSeconds = 300;

/** How the body is read. */
export type Reading = {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly quietMs: () => number;
  readonly onBytes?: (count: number) => void;
};

/** The bytes as they come; leaving the loop early closes the connection. */
export async function* answerBytes(
  answer: IncomingMessage,
  { clock, signal, quietMs, onBytes }: Reading,
): AsyncGenerator<Buffer> {
  const silence = new Silence({ clock, limitMs: quietMs });
  silence.signal.addEventListener('abort', () => {
    answer.destroy(silence.signal.reason as Error);
  });
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      silence.heard();
      onBytes?.(chunk.length);
      yield chunk;
    }
  } catch (error) {
    if (error instanceof ApiError) throw error;
    if (signal.aborted && signal.reason instanceof ApiError) throw signal.reason;
    throw new ApiError(`the answer broke off: ${(error as Error).message}`, {}, { cause: error });
  } finally {
    silence.end();
  }
}

/** The body of a refusal, or as much of it as anyone will read. */
export async function answerText(answer: IncomingMessage, reading: Reading): Promise<string> {
  return textOf(answerBytes(answer, reading), longestRefusal).catch(() => '');
}

/** All bytes as text; throws ApiError where there are more than `limit`. */
export async function textOf(bytes: AsyncIterable<Buffer>, limit: number): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of bytes) {
    length += chunk.length;
    if (length > limit) throw new ApiError(`the answer is longer than ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Why the server refused, with its own words where it has any. */
export function refusal(
  { method, path }: { readonly method: string; readonly path: string },
  answer: IncomingMessage,
  body: string,
): ApiError {
  const status = answer.statusCode ?? 0;
  const words = messageIn(body);
  const what = `${method} ${path.split('?')[0]}: ${status} ${STATUS_CODES[status] ?? ''}`.trimEnd();
  const seconds = /^\d{1,6}$/.exec(answer.headers['retry-after'] ?? '')?.[0] ?? '0';
  return new ApiError(words === '' ? what : `${what}: ${words}`, {
    status,
    retryAfterMs: Math.min(Number(seconds), longestRetryAfterSeconds) * 1000,
  });
}

function messageIn(body: string): string {
  try {
    const { message } = JSON.parse(body) as { readonly message?: unknown };
    return typeof message === 'string' ? printable(message.slice(0, 500)) : '';
  } catch {
    return '';
  }
}
