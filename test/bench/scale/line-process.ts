// A program that is asked by lines of JSON and answers by lines of JSON, one for each, by its id.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A running program; `ready` is what it said first. */
export type LineProcess<Ready> = {
  readonly ready: Ready;
  readonly ask: <Answer>(question: object) => Promise<Answer>;
  readonly stop: () => Promise<void>;
};

/** Starts a file of ours in a network namespace, with the Node that runs this one. */
export async function startLineProcess<Ready>(
  namespace: string,
  file: URL,
  args: readonly string[] = [],
): Promise<LineProcess<Ready>> {
  const command = ['netns', 'exec', namespace, process.execPath, file.pathname, ...args];
  const child = spawn('ip', command, { stdio: ['pipe', 'pipe', 'inherit'] });
  const waiting = new Map<number, (answer: never) => void>();
  const first = Promise.withResolvers<Ready>();
  waiting.set(0, first.resolve);
  createInterface({ input: child.stdout }).on('line', (line) => {
    const { id, ...answer } = JSON.parse(line) as { readonly id: number };
    waiting.get(id)?.(answer as never);
    waiting.delete(id);
  });
  child.on('exit', (code) => first.reject(new Error(`${file.pathname} ended: ${code}`)));
  let lastId = 0;
  return {
    ready: await first.promise,
    ask(question) {
      const id = (lastId += 1);
      const { promise, resolve } = Promise.withResolvers<never>();
      waiting.set(id, resolve);
      child.stdin.write(`${JSON.stringify({ ...question, id })}\n`);
      return promise;
    },
    stop: () => stopped(child, 'SIGKILL'),
  };
}

/** Ends a program, and awaits that. */
export async function stopped(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill(signal);
  await exit;
}

/** Answers lines on standard input, in a program that startLineProcess has started. */
export function answerLines<Question>(
  ready: object,
  answer: (question: Question) => Promise<object> | object,
): void {
  const say = (id: number, what: object): boolean =>
    process.stdout.write(`${JSON.stringify({ ...what, id })}\n`);
  createInterface({ input: process.stdin }).on('line', (line) => {
    const { id, ...question } = JSON.parse(line) as { readonly id: number };
    void Promise.resolve(answer(question as Question)).then((what) => say(id, what));
  });
  say(0, ready);
}

/** Milliseconds on the clock that all processes of this machine share. */
export function sharedNowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
