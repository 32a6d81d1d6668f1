// A node with Sluice on it, in a cluster of a given size, between a client and pods that answer.
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { closeSync, openSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ProxyMode } from '../../../src/model/config.ts';
import type { Awaited } from './client.ts';
import { clusterObjects, clusterOf, type Cluster, type ClusterSpec } from './cluster/cluster.ts';
import { manifestText } from './cluster/manifest.ts';
import type { StoredObject } from './cluster/objects.ts';
import { nodeName, podRange } from './cluster/services.ts';
import { sharedNowMs, startLineProcess, stopped, type LineProcess } from './line-process.ts';
import { createNetwork } from './network.ts';
import { residentMbOfAll, usageOf, watchPeak, type Usage } from './usage.ts';

/** Where the objects come from. */
export type Source = 'api server' | 'json' | 'yaml';

export type StageOptions = {
  /** The built file, as an image has it. */
  readonly sluiceFile: string;
  readonly cluster: ClusterSpec;
  readonly source: Source;
  readonly mode?: ProxyMode;
};

/** Sluice, running. */
export type Running = {
  /** When it was started. */
  readonly at: number;
  readonly usage: () => Promise<Usage>;
  /** Resident memory of it and of all that it has started, together. */
  readonly allMb: () => Promise<number>;
  /** The most that this was since the start; asked for once. */
  readonly allPeakMb: () => number;
  readonly stop: () => Promise<void>;
};

/** The parts of it. */
export type Stage = AsyncDisposable & {
  readonly cluster: Cluster;
  readonly node: string;
  readonly folder: string;
  readonly sluice: () => Running;
  /** Changes an object in the API server; answers with the time. */
  readonly change: (object: StoredObject) => Promise<number>;
  /** When connections to the address were answered, or were no more; undefined: not in time. */
  readonly until: (
    awaited: Pick<Awaited, 'ip' | 'port' | 'isAnswered'> & Partial<Awaited>,
  ) => Promise<number | undefined>;
};

/** The environment in which bin/sluice starts it. */
const environment = { ...process.env, MALLOC_ARENA_MAX: '1' };

/** The flags that all of our commands need here. */
export const commonFlags: readonly string[] = [
  '--cluster-cidr',
  podRange,
  '--hostname-override',
  nodeName,
  // What it sets is the whole machine's.
  '--conntrack-max-per-core',
  '0',
];

/** How bin/sluice starts the built file. */
export function commandOf(sluiceFile: string): readonly [string, ...string[]] {
  return [process.execPath, '--max-semi-space-size=2', sluiceFile];
}

/** Makes it; nothing of Sluice runs yet. */
export async function createStage(options: StageOptions): Promise<Stage> {
  const cleanUp = new AsyncDisposableStack();
  try {
    return await setUp(options, cleanUp);
  } catch (error) {
    await cleanUp.disposeAsync();
    throw error;
  }
}

async function setUp(options: StageOptions, cleanUp: AsyncDisposableStack): Promise<Stage> {
  const { sluiceFile, source, mode = 'nftables' } = options;
  const cluster = clusterOf(options.cluster);
  const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
  cleanUp.defer(() => rm(folder, { recursive: true, force: true }));
  const network = cleanUp.use(await createNetwork());
  const start = async <Ready>(namespace: string, file: string, args: readonly string[] = []) => {
    const program = await startLineProcess<Ready>(namespace, new URL(file, import.meta.url), args);
    cleanUp.defer(program.stop);
    return program;
  };
  await start(network.pods, 'pods.ts');
  const client = await start(network.client, 'client.ts');
  let api: LineProcess<{ readonly url: string }> | undefined;
  const manifest = join(folder, source === 'yaml' ? 'cluster.yaml' : 'cluster.json');
  if (source === 'api server') {
    api = await start(network.node, 'api-server.ts', [JSON.stringify(options.cluster)]);
  } else await writeFile(manifest, manifestText(clusterObjects(cluster), source));
  const from = api === undefined ? ['--manifests', manifest] : ['--master', api.ready.url];
  const before = ['--before-file', join(folder, 'before.json')];
  const flags = ['--proxy-mode', mode, ...commonFlags, ...before, ...from];
  return {
    cluster,
    node: network.node,
    folder,
    sluice() {
      const log = join(folder, 'log');
      const running = startSluice({ namespace: network.node, sluiceFile, flags, log });
      cleanUp.defer(running.stop);
      return running;
    },
    async change(object) {
      if (api === undefined) throw new Error('manifests are not changed here');
      return (await api.ask<{ readonly at: number }>(object)).at;
    },
    async until(awaited) {
      const question = { everyMs: 1, timeoutMs: 10_000, ...awaited };
      return (await client.ask<{ readonly at?: number }>(question)).at;
    },
    [Symbol.asyncDispose]: () => cleanUp.disposeAsync(),
  };
}

type Start = {
  readonly namespace: string;
  readonly sluiceFile: string;
  readonly flags: readonly string[];
  readonly log: string;
};

function startSluice({ namespace, sluiceFile, flags, log }: Start): Running {
  const output = openSync(log, 'a');
  const at = sharedNowMs();
  const command = ['netns', 'exec', namespace, ...commandOf(sluiceFile), 'run', ...flags];
  const child = spawn('ip', command, {
    stdio: ['ignore', 'ignore', output],
    env: environment,
  });
  closeSync(output);
  const { pid } = child;
  if (pid === undefined) throw new Error('sluice was not started');
  const allPeakMb = watchPeak(pid);
  return {
    at,
    usage: () => usageOf(pid),
    allMb: () => residentMbOfAll(pid),
    allPeakMb,
    async stop() {
      allPeakMb();
      await stopped(child, 'SIGTERM');
    },
  };
}
