// The program that sends frames: see sender.pl.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { stopped } from '../line-process.ts';

/** Which frames of which file are sent where. */
export type Sending = {
  readonly interface: string;
  readonly file: string;
  readonly first: number;
  readonly count: number;
};

/** It, running. */
export type Sender = AsyncDisposable & {
  /** Microseconds of processor time for a frame, a number for each few hundred of them. */
  readonly send: (sending: Sending) => Promise<readonly number[]>;
  /** The same for so many datagrams that a program sends from a socket of its own. */
  readonly sendFromSocket: (ip: string, count: number) => Promise<readonly number[]>;
};

/** Starts it in a network namespace. */
export async function startSender(namespace: string): Promise<Sender> {
  const program = fileURLToPath(new URL('sender.pl', import.meta.url));
  const child = spawn('ip', ['netns', 'exec', namespace, 'perl', program], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const nextLine = async (): Promise<string> => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error('the sender of packets has ended');
    return value;
  };
  await nextLine();
  const ask = async (...words: readonly (string | number)[]): Promise<readonly number[]> => {
    child.stdin.write(`${words.join(' ')}\n`);
    return (await nextLine()).split(' ').map(Number);
  };
  return {
    send: ({ interface: on, file, first, count }) => ask(on, file, first, count),
    sendFromSocket: (ip, count) => ask('socket', ip, count),
    [Symbol.asyncDispose]: () => stopped(child, 'SIGKILL'),
  };
}
