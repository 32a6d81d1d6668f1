// The lab's side of an agent: starts it in its namespace, asks, awaits answers, ends it.
// In: where it runs and what it serves. Out: tries, as lab/protocol.ts has them.
import { readlink } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { execa, type ResultPromise } from 'execa';
import { LabError } from '../errors.ts';
import type { AgentSetup, AnswerLine, Command, CommandLine, Try } from './agent/protocol.ts';

type Waiting = {
  readonly resolve: (tries: readonly Try[]) => void;
  readonly reject: (error: LabError) => void;
};

type AgentChild = ResultPromise<typeof pipes>;

// No cleanup: execa's would end this process at the first signal, before the lab is taken down. An agent
// whose lab is gone ends by itself, with its standard input.
const pipes = { stdin: 'pipe', buffer: false, reject: false, cleanup: false } as const;

/** Starts the agent of one host; resolves when it serves. */
export async function startAgent(namespace: string, setup: AgentSetup): Promise<AgentProcess> {
  const node = await readlink('/proc/self/exe');
  const program = fileURLToPath(new URL('agent/agent.ts', import.meta.url));
  const args = ['netns', 'exec', namespace, node, program, JSON.stringify(setup)];
  const agent = new AgentProcess(setup.name, execa('ip', args, pipes));
  await agent.ready;
  return agent;
}

/** A running agent. Invariant: each command not yet answered has exactly one entry in #waiting. */
export class AgentProcess {
  /** Resolves when the agent listens on all its ports, rejects when it ends before. */
  readonly ready: Promise<void>;
  readonly #name: string;
  readonly #child: AgentChild;
  readonly #waiting = new Map<number, Waiting>();
  readonly #ended: Promise<void>;
  readonly #started = Promise.withResolvers<void>();
  #lastId = 0;
  #stderr = '';

  constructor(name: string, child: AgentChild) {
    this.#name = name;
    this.#child = child;
    this.ready = this.#started.promise;
    // An agent may end before anybody waits for it.
    this.ready.catch(() => undefined);
    child.stderr.on('data', (chunk: Buffer) => (this.#stderr += chunk.toString()));
    // Written to after its end: the end itself says why.
    child.stdin.on('error', () => undefined);
    this.#ended = this.#listen();
  }

  /** Sends a command and awaits what its tries met. */
  ask(command: Command): Promise<readonly Try[]> {
    const id = ++this.#lastId;
    const line: CommandLine = { id, command };
    return new Promise((resolve, reject) => {
      if (!this.#child.stdin.writable) return reject(this.#gone());
      this.#waiting.set(id, { resolve, reject });
      this.#child.stdin.write(`${JSON.stringify(line)}\n`);
    });
  }

  /** Ends the agent and awaits its end. */
  async close(): Promise<void> {
    this.#child.stdin.end();
    await this.#ended;
  }

  async #listen(): Promise<void> {
    for await (const line of this.#child.iterable()) this.#receive(JSON.parse(line));
    await this.#child;
    this.#started.reject(this.#gone());
    for (const { reject } of this.#waiting.values()) reject(this.#gone());
    this.#waiting.clear();
  }

  #receive(line: AnswerLine): void {
    if (line.kind === 'ready') return this.#started.resolve();
    const waiting = this.#waiting.get(line.id);
    this.#waiting.delete(line.id);
    if (line.kind === 'tries') waiting?.resolve(line.tries);
    else waiting?.reject(new LabError(`${this.#name} cannot probe: ${line.message}`));
  }

  #gone(): LabError {
    return new LabError(`the agent of ${this.#name} has ended: ${this.#stderr.trim()}`);
  }
}
