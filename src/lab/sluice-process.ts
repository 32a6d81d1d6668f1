// A `sluice run` in the lab's first node. In: manifests and flags. Out: a process that can be awaited
// until the kernel holds a version of the manifests, or until it logs a message; stopped and killed.
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { execa, type ResultPromise } from 'execa';
import { LabError } from '../errors.ts';
import { clusterRange, nodes } from './topology.ts';

/** How Sluice is started on n1. */
export type SluiceOptions = {
  /** The file, or folder, of Kubernetes objects that it follows. */
  readonly manifests: string;
  readonly proxyMode: 'nftables' | 'iptables';
  readonly flags?: readonly string[];
  /** A folder that goes before all others on PATH, to choose another nft. */
  readonly path?: string;
  /** A command that runs Sluice in its turn, such as `unshare`. */
  readonly startedBy?: readonly string[];
};

type Waiting = {
  /** Whether this line of the log is what is awaited. */
  readonly isMet: (line: string) => boolean;
  readonly resolve: () => void;
  readonly reject: (error: LabError) => void;
};

type SluiceChild = ResultPromise<typeof pipes>;

/** For a child that is read line by line. No cleanup: execa's would end this process before the lab is taken down. */
export const pipes = {
  stdin: 'ignore',
  stdout: 'ignore',
  buffer: false,
  reject: false,
  cleanup: false,
} as const;
const waitTimeoutMs = 30_000;

// PATH is put together by the shell that starts it, which then becomes Sluice: signals reach it.
const onPath = 'PATH="$1${1:+:}$PATH"; shift; exec "$@"';

/** Flags for a node that is no machine of its own: what all namespaces share stays as it is. */
export const leavesHostAlone = ['--conntrack-max-per-core', '0', '--oom-score-adj', '0'] as const;

/** Starts `sluice run` in a namespace, as node-1 of the lab's cluster. */
export function startSluice(namespace: string, options: SluiceOptions): SluiceProcess {
  const { manifests, proxyMode, flags = [], path = '', startedBy = [] } = options;
  const sluice = fileURLToPath(new URL('../../bin/sluice', import.meta.url));
  const ranges = `${clusterRange.ipv4},${clusterRange.ipv6}`;
  const source = ['--manifests', manifests, '--hostname-override', nodes[0].nodeName];
  const network = ['--proxy-mode', proxyMode, '--cluster-cidr', ranges];
  const args = [...source, ...network, ...leavesHostAlone, ...flags];
  const shell = ['netns', 'exec', namespace, 'sh', '-c', onPath, 'sh', path];
  return new SluiceProcess('ip', [...shell, ...startedBy, sluice, 'run', ...args]);
}

/** What `run` calls the version of a manifest file that it has brought into step. */
export function manifestDigest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** A running Sluice. Invariant: #digest is the version that its last "in step" line named. */
export class SluiceProcess {
  readonly #child: SluiceChild;
  readonly #waiting = new Set<Waiting>();
  readonly #ended: Promise<void>;
  readonly #log: string[] = [];
  #digest: string | undefined;
  #hasEnded = false;

  constructor(file: string, args: readonly string[]) {
    this.#child = execa(file, args, pipes);
    this.#ended = this.#listen();
  }

  /** The id of its process; undefined where it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** All that it has logged, line by line. */
  get log(): readonly string[] {
    return this.#log;
  }

  /** Resolves when the kernel holds this version of the manifests; rejects when it will not. */
  async inStep(digest: string): Promise<void> {
    if (this.#digest === digest) return;
    await this.#line(`in step with ${digest}`, (line) => digestInStep(line) === digest);
  }

  /** Resolves when it has logged this message, in line `from` of the log or later. */
  async logged(message: string, from: number): Promise<void> {
    const isMet = (line: string): boolean => messageOf(line) === message;
    if (this.#log.slice(from).some(isMet)) return;
    await this.#line(`heard saying "${message}"`, isMet);
  }

  /** Asks it to read its configuration again. */
  hangup(): void {
    this.#child.kill('SIGHUP');
  }

  /** Asks it to end, and awaits that. */
  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.#ended;
  }

  /** Ends it as a crash would, and awaits that. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  async #line(what: string, isMet: (line: string) => boolean): Promise<void> {
    if (this.#hasEnded) throw this.#failure('sluice has ended');
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiting = { isMet, resolve, reject };
    const late = (): void => reject(this.#failure(`sluice is not ${what}`));
    const timer = setTimeout(late, waitTimeoutMs);
    this.#waiting.add(waiting);
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(waiting);
    }
  }

  async #listen(): Promise<void> {
    for await (const line of this.#child.iterable({ from: 'stderr' })) this.#receive(line);
    const { exitCode, signal } = await this.#child;
    this.#hasEnded = true;
    const error = this.#failure(`sluice has ended (${signal ?? `exit code ${exitCode}`})`);
    for (const { reject } of this.#waiting) reject(error);
  }

  #receive(line: string): void {
    this.#log.push(line);
    this.#digest = digestInStep(line) ?? this.#digest;
    for (const { isMet, resolve } of this.#waiting) if (isMet(line)) resolve();
  }

  #failure(what: string): LabError {
    return new LabError([`${what}; it logged:`, ...this.#log].join('\n'));
  }
}

function digestInStep(line: string): string | undefined {
  const { msg, version } = entryOf(line);
  return msg === 'in step' && typeof version === 'string' ? version : undefined;
}

function messageOf(line: string): unknown {
  return entryOf(line).msg;
}

/** A line of the log; without fields where it is none of ours, such as a crash. */
function entryOf(line: string): { readonly msg?: unknown; readonly version?: unknown } {
  return line.startsWith('{') ? JSON.parse(line) : {};
}
