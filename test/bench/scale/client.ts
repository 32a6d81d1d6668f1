// A client outside the cluster: opens connections to an address again and again until one is answered, or
// none any more, and tells when that was.
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { answerLines, sharedNowMs } from './line-process.ts';

/** What is awaited of an address. */
export type Awaited = {
  readonly ip: string;
  readonly port: number;
  readonly isAnswered: boolean;
  /** Between two connections. */
  readonly everyMs: number;
  readonly timeoutMs: number;
};

// A connection that meets silence in place of a refusal is given up after this long.
const silenceMs = 200;

answerLines<Awaited>({}, async ({ isAnswered, everyMs, timeoutMs, ...address }) => {
  const deadline = sharedNowMs() + timeoutMs;
  for (;;) {
    const { hasOpened, at } = await attempt(address);
    if (hasOpened === isAnswered) return { at };
    if (at > deadline) return {};
    await delay(everyMs);
  }
});

function attempt({ ip, port }: Pick<Awaited, 'ip' | 'port'>) {
  return new Promise<{ readonly hasOpened: boolean; readonly at: number }>((resolve) => {
    const socket = connect({ host: ip, port });
    const end = (hasOpened: boolean): void => {
      clearTimeout(timer);
      resolve({ hasOpened, at: sharedNowMs() });
      if (hasOpened) socket.resetAndDestroy();
      else socket.destroy();
    };
    const timer = setTimeout(() => end(false), silenceMs);
    socket.once('connect', () => end(true));
    socket.on('error', () => end(false));
  });
}
