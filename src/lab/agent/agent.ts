// What runs in each host of a lab: serves its ports and sends probes. In: an AgentSetup as its argument,
// a CommandLine per line of standard input. Out: an AnswerLine per line. Ends when standard input does.
// A process of its own, so it and its imports use built-in modules only: five of them start at once.
import { createInterface } from 'node:readline';
import { attempt } from './attempt.ts';
import { closeHeld, holdOpen, pingHeld, type Held } from './held.ts';
import type { AgentSetup, AnswerLine, Command, CommandLine, Flight, Try } from './protocol.ts';
import { serve } from './serve.ts';

// As many as a probe usually has: its timeouts then pass together, and the load stays small.
const concurrentTries = 24;

await main();

async function main(): Promise<void> {
  const setup: AgentSetup = JSON.parse(process.argv[2] ?? '');
  // Ctrl-C in a terminal, or its end, reaches the whole group; the lab decides when its hosts end.
  for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
  await serve(setup);
  say({ kind: 'ready' });
  const held: Held = new Map();
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => void answer(JSON.parse(line), held));
  lines.on('close', () => process.exit(0));
}

async function answer({ id, command }: CommandLine, held: Held): Promise<void> {
  try {
    say({ kind: 'tries', id, tries: await obey(command, held) });
  } catch (error) {
    say({ kind: 'failure', id, message: String(error) });
  }
}

async function obey(command: Command, held: Held): Promise<readonly Try[]> {
  switch (command.kind) {
    case 'probe':
      return probe(command);
    case 'open':
      return [await holdOpen(held, command)];
    case 'ping':
      return [await pingHeld(held, command.connection)];
    case 'close':
      closeHeld(held, command.connection);
      return [];
  }
}

async function probe(flight: Flight): Promise<readonly Try[]> {
  const tries: Try[] = [];
  let started = 0;
  const sender = async (): Promise<void> => {
    while (started < flight.tries) {
      started += 1;
      tries.push(await attempt(flight));
    }
  };
  const senders = flight.sourcePort === undefined ? Math.min(concurrentTries, flight.tries) : 1;
  await Promise.all(Array.from({ length: senders }, sender));
  return tries;
}

function say(line: AnswerLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
