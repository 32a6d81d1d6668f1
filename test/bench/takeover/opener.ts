// Runs the clients and servers of a run, which are Perl programs in hosts of the lab. In: hosts and
// addresses. Out: what became of the opens, period by period.
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { execa, type ResultPromise } from 'execa';

/** What became of the opens of one period, as opener.pl says it. */
export type OpenReport = {
  readonly seconds: number;
  readonly tried: number;
  readonly opened: number;
  /** Opened only after a second packet: the first was lost. */
  readonly late: number;
  /** Left out because the client itself was behind: it did not get the processor. */
  readonly skipped: number;
  /** How far the client was behind at the worst. */
  readonly behindMs: number;
  /** How many failed, by the reason: refused, reset, timeout, or an error's own text. */
  readonly failed: Readonly<Record<string, number>>;
  /** The longest time between two successful opens, target by target. */
  readonly gapsMs: readonly number[];
};

/** A client that opens without end. */
export type Opener = {
  /** Ends a period, and begins the next; resolves when none of its opens is undecided. */
  readonly period: () => Promise<OpenReport>;
};

type Program = ResultPromise<typeof pipes>;

const pipes = { reject: false, buffer: false, stderr: 'inherit', cleanup: true } as const;

// Each undecided open is a file, and few are allowed by default.
const raiseLimit = 'ulimit -S -n "$(ulimit -H -n)"; exec "$@"';

function start(namespace: string, file: string, args: readonly string[]): Program {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const command = ['netns', 'exec', namespace, 'sh', '-c', raiseLimit, 'sh', 'perl', path, ...args];
  return execa('ip', command, pipes);
}

/** Starts a server that accepts whatever comes; it ends with the namespace. Resolves when it listens. */
export async function startAcceptor(namespace: string, port: number): Promise<void> {
  const program = start(namespace, 'acceptor.pl', [String(port)]);
  await Promise.race([once(program.stdout, 'data'), failed(program, 'the server')]);
}

/** Starts a client that opens each of `targets` (`10.96.0.1:80`) every `everyMs`; it ends with the namespace. */
export function startOpener(
  namespace: string,
  { everyMs, targets }: { readonly everyMs: number; readonly targets: readonly string[] },
): Opener {
  const program = start(namespace, 'opener.pl', [String(everyMs * 1000), ...targets]);
  const lines = createInterface({ input: program.stdout })[Symbol.asyncIterator]();
  const ended = failed(program, 'the client');
  ended.catch(() => undefined);
  return {
    async period() {
      program.stdin.write('\n');
      const { value } = await Promise.race([lines.next(), ended]);
      return JSON.parse(value as string) as OpenReport;
    },
  };
}

async function failed(program: Program, who: string): Promise<never> {
  await program;
  throw new Error(`${who} has ended`);
}
