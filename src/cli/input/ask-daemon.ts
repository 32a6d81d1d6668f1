// Asks a running daemon at its metrics server: an address and a path in, JSON out, or an error that says
// what was asked and why nothing came.
import { quoted } from '../../cluster/problem.ts';
import { ApiError, UsageError } from '../../errors.ts';

// What answers on this machine answers at once.
const daemonTimeoutMs = 10_000;

/** What a daemon of this version has at the path. */
export type Question = {
  /** The address of its metrics server, such as `http://127.0.0.1:10249`. */
  readonly daemon: string;
  readonly path: string;
  readonly signal: AbortSignal;
};

/** The answer, as far as `isAnswer` says that it is one. */
export async function askDaemon<T>(
  { daemon, path, signal }: Question,
  isAnswer: (body: unknown) => body is T,
): Promise<T> {
  const url = URL.canParse(daemon) ? new URL(path, daemon) : undefined;
  if (url?.protocol !== 'http:') {
    throw new UsageError(
      `--daemon: ${quoted(daemon)} is no address such as http://127.0.0.1:10249`,
    );
  }
  const limit = AbortSignal.any([signal, AbortSignal.timeout(daemonTimeoutMs)]);
  const body = await jsonAt(url, limit);
  if (isAnswer(body)) return body;
  throw new ApiError(`${url.href}: this is not what a Sluice of this version tells`);
}

async function jsonAt(url: URL, signal: AbortSignal): Promise<unknown> {
  try {
    const answer = await fetch(url, { signal, redirect: 'error' });
    if (!answer.ok) {
      throw new ApiError(`${url.href}: status ${answer.status}: no daemon of this version`);
    }
    return await answer.json();
  } catch (error) {
    if (error instanceof ApiError) throw error;
    const { cause, message } = error as Error;
    const why = cause instanceof Error ? cause.message : message;
    throw new ApiError(`${url.href}: ${why}`, {}, { cause: error });
  }
}
