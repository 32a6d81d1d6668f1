// Asks a running daemon at its debug server: an address and a path in, JSON out, or an error that says
// what was asked and why nothing came.
import { quoted } from '../../cluster/problem.ts';
import { defaultDebug } from '../../config/values/socket-address.ts';
import { ApiError, UsageError } from '../../errors.ts';
import type { Io } from '../io.ts';

// What answers on this machine answers at once.
const daemonTimeoutMs = 10_000;

/** Where a daemon's debug server is unless it is told. */
export const defaultDaemon = `http://${defaultDebug.address}`;

/** What a daemon of this version has at the path. */
export type Question = {
  /** The address of its debug server, such as `http://127.0.0.1:10247`. */
  readonly daemon: string;
  readonly path: string;
};

/** What asking takes. */
export type Asking = Pick<Io, 'fetch' | 'signal'>;

/** The answer, as far as `isAnswer` says that it is one. */
export async function askDaemon<T>(
  { daemon, path }: Question,
  isAnswer: (body: unknown) => body is T,
  { fetch, signal }: Asking,
): Promise<T> {
  const url = URL.canParse(daemon) ? new URL(path, daemon) : undefined;
  if (url?.protocol !== 'http:') {
    throw new UsageError(`--daemon: ${quoted(daemon)} is no address such as ${defaultDaemon}`);
  }
  const limit = AbortSignal.any([signal, AbortSignal.timeout(daemonTimeoutMs)]);
  const body = await jsonAt(url, { fetch, signal: limit });
  if (isAnswer(body)) return body;
  throw new ApiError(`${url.href}: this is not what a Sluice of this version tells`);
}

/** Whether it is that nothing listens at the address: no daemon is there. */
export function isNobodyThere(error: unknown): boolean {
  const { cause } = error as { cause?: { cause?: { code?: string } } };
  return error instanceof ApiError && absent.has(cause?.cause?.code ?? '');
}

const absent: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'EADDRNOTAVAIL',
  'EAFNOSUPPORT',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);

async function jsonAt(url: URL, { fetch, signal }: Asking): Promise<unknown> {
  try {
    const answer = await fetch(url, { signal, redirect: 'error' });
    if (!answer.ok) {
      throw new ApiError(`${url.href}: status ${answer.status}: no daemon of this version`);
    }
    return await answer.json();
  } catch (error) {
    if (error instanceof ApiError) throw error;
    const { cause, message } = error as Error;
    const told = cause instanceof Error ? cause.message : message;
    const { code = '' } = (cause ?? {}) as { code?: string };
    const why = absent.has(code) ? `no daemon answers there (${told})` : told;
    throw new ApiError(`${url.href}: ${why}`, {}, { cause: error });
  }
}
