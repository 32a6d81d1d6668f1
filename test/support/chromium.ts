// A real headless Chromium in a network namespace, driven by its own protocol (Chrome DevTools, through
// pipes): pages opened, pictures taken, and what a page did wrong by the browser's account.
import type { Readable, Writable } from 'node:stream';
import { stderr } from 'node:process';
import { execa } from 'execa';
import { onTestFinished } from 'vitest';
import { execOnHost } from '../../src/host/tools/exec.ts';
import { ensureTools } from '../../src/host/tools/install.ts';

/** How a person looks at it. */
export type Look = {
  readonly width: number;
  readonly height: number;
  readonly scheme: 'light' | 'dark';
  readonly withoutScript?: boolean;
};

export type Browser = {
  /** Opens the address, and waits until it is loaded. */
  readonly open: (url: string, look: Look) => Promise<void>;
  /** The value of a JavaScript expression in the page; promises are awaited. */
  readonly evaluate: (expression: string) => Promise<unknown>;
  /** A PNG of all of the page. */
  readonly screenshot: () => Promise<Buffer>;
  /** What was refused by a policy, thrown, or not found, since the last call. */
  readonly errors: () => readonly string[];
};

type Message = {
  readonly id?: number;
  readonly sessionId?: string;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
};

const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--hide-scrollbars',
  '--remote-debugging-pipe',
];

/** Starts it with a profile in `folder`, installed where it is missing; it is ended with the test. */
export async function chromium(namespace: string, folder: string): Promise<Browser> {
  await ensureTools(['chromium'], { exec: execOnHost, stderr });
  const args = [...flags, `--user-data-dir=${folder}/chromium`, 'about:blank'];
  const child = execa('ip', ['netns', 'exec', namespace, 'chromium', ...args], {
    reject: false,
    buffer: false,
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
  });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await child;
  });
  const protocol = new Protocol(child.stdio[3] as unknown as Writable, child.stdio[4] as Readable);
  const { targetId } = await protocol.send('Target.createTarget', { url: 'about:blank' });
  const attached = await protocol.send('Target.attachToTarget', { targetId, flatten: true });
  protocol.sessionId = attached['sessionId'] as string;
  for (const domain of ['Page', 'Runtime', 'Log']) await protocol.send(`${domain}.enable`);
  return {
    async open(url, { width, height, scheme, withoutScript = false }) {
      const size = { width, height, deviceScaleFactor: 1, mobile: width < 600 };
      await protocol.send('Emulation.setDeviceMetricsOverride', size);
      const features = [{ name: 'prefers-color-scheme', value: scheme }];
      await protocol.send('Emulation.setEmulatedMedia', { features });
      await protocol.send('Emulation.setScriptExecutionDisabled', { value: withoutScript });
      const loaded = protocol.next('Page.loadEventFired');
      await protocol.send('Page.navigate', { url });
      await loaded;
    },
    async evaluate(expression) {
      const options = { expression, awaitPromise: true, returnByValue: true };
      const { result, exceptionDetails } = await protocol.send('Runtime.evaluate', options);
      if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
      return (result as { value: unknown }).value;
    },
    async screenshot() {
      const { data } = await protocol.send('Page.captureScreenshot', {
        captureBeyondViewport: true,
      });
      return Buffer.from(data as string, 'base64');
    },
    errors: () => protocol.takeErrors(),
  };
}

type Waiting = {
  readonly resolve: (result: Record<string, unknown>) => void;
  readonly reject: (error: Error) => void;
};

/** Invariant: #calls has who waits for an answer, #events who waits for something to happen. */
class Protocol {
  readonly #to: Writable;
  readonly #calls = new Map<number, Waiting>();
  readonly #events = new Map<string, (() => void)[]>();
  #errors: string[] = [];
  #last = 0;
  sessionId: string | undefined;

  constructor(to: Writable, from: Readable) {
    this.#to = to;
    let rest = '';
    from.setEncoding('utf8');
    from.on('data', (text: string) => {
      const messages = (rest + text).split('\0');
      rest = messages.pop() ?? '';
      for (const message of messages) this.#receive(JSON.parse(message) as Message);
    });
    from.on('close', () => {
      for (const { reject } of this.#calls.values()) reject(new Error('chromium has ended'));
    });
  }

  send(method: string, params: object = {}): Promise<Record<string, unknown>> {
    this.#last += 1;
    const id = this.#last;
    const { promise, resolve, reject } = Promise.withResolvers<Record<string, unknown>>();
    this.#calls.set(id, { resolve, reject });
    const session = this.sessionId === undefined ? {} : { sessionId: this.sessionId };
    this.#to.write(`${JSON.stringify({ id, method, params, ...session })}\0`);
    return promise;
  }

  next(event: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#events.set(event, [...(this.#events.get(event) ?? []), resolve]);
    return promise;
  }

  takeErrors(): readonly string[] {
    const errors = this.#errors;
    this.#errors = [];
    return errors;
  }

  #receive({ id, method = '', params, result = {}, error }: Message): void {
    if (id !== undefined) {
      const waiting = this.#calls.get(id);
      this.#calls.delete(id);
      if (error === undefined) waiting?.resolve(result);
      else waiting?.reject(new Error(error.message));
      return;
    }
    if (method === 'Runtime.exceptionThrown') this.#errors.push(JSON.stringify(params));
    if (method === 'Log.entryAdded') this.#errors.push(JSON.stringify(params?.['entry']));
    for (const resolve of this.#events.get(method) ?? []) resolve();
    this.#events.delete(method);
  }
}
