// One question to a cluster: who asks which address, and who must answer. It is asked until the answer is
// right, or for so long that it never will be: a change takes a moment to reach every node.
import { setTimeout as delay } from 'node:timers/promises';
import type { ApiClient } from './api-client.ts';
import { ask, type Address, type Pod } from './pods.ts';

export type Question = Address & {
  /** What is asked, for people: `web ClusterIP`. */
  readonly what: string;
  readonly from: Pod;
  /**
   * The names that must all be heard, and no other; `one`: always the same one, whichever; `nobody`: no
   * name at all.
   */
  readonly expected: readonly string[] | 'one' | 'nobody';
};

/** What a question met. */
export type Finding = {
  readonly question: Question;
  /** How often each name was heard, in the last series. */
  readonly heard: Readonly<Record<string, number>>;
  readonly isAsExpected: boolean;
};

/** How questions are asked. */
export type Asking = {
  readonly client: ApiClient;
  readonly namespace: string;
  readonly signal: AbortSignal;
  readonly withinMs: number;
};

const triesPerRound = 8;
// One of ten that is asked fairly stays unheard in 200 tries less than once in 10^9 runs.
const mostRounds = 25;
const pauseMs = 250;

/** Asks until the answer is right, or the time is over. */
export async function settle(question: Question, asking: Asking): Promise<Finding> {
  const deadlineMs = performance.now() + asking.withinMs;
  for (;;) {
    const finding = await series(question, asking);
    if (finding.isAsExpected || performance.now() > deadlineMs) return finding;
    await delay(pauseMs, undefined, { signal: asking.signal });
  }
}

// Rounds until everybody who must be heard has been, or somebody else was.
async function series(question: Question, { client, namespace, signal }: Asking): Promise<Finding> {
  const heard: Record<string, number> = {};
  for (let round = 0; round < mostRounds; round += 1) {
    signal.throwIfAborted();
    const from = { ...question.from, namespace };
    // Each try that nobody answers takes seconds.
    const tries = question.expected === 'nobody' ? 1 : triesPerRound;
    for (const name of await ask(client, from, { ...question, tries })) {
      heard[name] = (heard[name] ?? 0) + 1;
    }
    const verdict = judge(question, Object.keys(heard));
    if (verdict !== 'not yet') return { question, heard, isAsExpected: verdict === 'right' };
  }
  return { question, heard, isAsExpected: false };
}

function judge(
  { expected, protocol }: Question,
  all: readonly string[],
): 'right' | 'wrong' | 'not yet' {
  // The kernel sends so many ICMP errors a second and no more, and over UDP nothing asks again.
  const isLimited = protocol === 'udp' && all.includes('refused') && expected.includes('refused');
  const heard = isLimited ? all.filter((name) => name !== 'no answer') : all;
  const names = heard.filter((name) => name !== 'refused' && name !== 'no answer');
  if (expected === 'nobody') return names.length === 0 ? 'right' : 'wrong';
  if (expected === 'one') return names.length === 1 && heard.length === 1 ? 'right' : 'wrong';
  if (heard.some((name) => !expected.includes(name))) return 'wrong';
  return expected.every((name) => heard.includes(name)) ? 'right' : 'not yet';
}

/** A line for people. */
export function findingLine({ question, heard, isAsExpected }: Finding): string {
  const { what, from, host, port, protocol, expected } = question;
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  const answers = Object.entries(heard).map(([name, times]) => `${name} ${times}x`);
  const wanted = typeof expected === 'string' ? expected : expected.join(', ');
  const verdict = isAsExpected ? 'OK' : `WRONG, expected ${wanted}`;
  return `${from.hostname} (${from.set}): ${what} ${protocol} ${address}: ${answers.join(', ')} ${verdict}`;
}
