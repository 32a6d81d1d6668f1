// docs/operations.md says what log, status, exit code, metric, page and Event say in each situation: each is brought
// about here, with a daemon whose kernel is in memory, and what it says is held against the cells of the tables.
import { mkdtempDisposableSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { DaemonOptions } from '../../../src/daemon/core.ts';
import { quickRepairs } from '../../../src/daemon/drift/repair-pace.ts';
import { clusterSource, manifestSource, type Source } from '../../../src/daemon/source.ts';
import { missingTool, type Exec } from '../../../src/host/tools/exec.ts';
import type { ProxyMode } from '../../../src/model/config.ts';
import { rawNode, rawService, rawSlice } from '../../cluster/objects.ts';
import { StandInApiServer } from '../../cluster/stand-in-api-server.ts';
import { commandLine } from '../../support/command-line.ts';
import { configFor } from '../../support/config.ts';
import { refusing } from '../../support/kernel-in-memory.ts';
import { modes } from '../../support/network-namespace.ts';
import { cellsIn, differencesFrom, matches, textOf, type Cells } from './situation-tables.ts';
import { startDaemon } from './stand.ts';

type Daemon = Awaited<ReturnType<typeof startDaemon>>;
type Place = {
  readonly daemon: Daemon;
  readonly server: StandInApiServer;
  /** The manifest. */
  readonly file: string;
  /** Whether kube-proxy's table is in nftables. */
  readonly others: { isThere: boolean };
};
type Situation = {
  readonly source?: 'manifests';
  readonly changeLimits?: DaemonOptions['changeLimits'];
  /** What has to happen before. */
  readonly before?: (place: Place) => Promise<void>;
  readonly begin: (place: Place) => void | Promise<void>;
  readonly end: (place: Place) => void | Promise<void>;
};

const shared = { externalIPs: ['203.0.113.5'] };
const local = { internalTrafficPolicy: 'Local' };
const node = rawNode('node-1', ['192.168.0.2']);
const fiveMinutesMs = 300_000;

/** A Service as the API server has it: an Event needs its uid. */
function service(port: number, extra: object = local): ReturnType<typeof rawService> {
  const { metadata, ...rest } = rawService('a', port, extra);
  return { metadata: { ...metadata, uid: 'uid-a' }, ...rest };
}

/** A Service that is younger than all others. */
function young(name: string, extra: object): ReturnType<typeof rawService> {
  const { metadata, ...rest } = rawService(name, 80, {
    clusterIP: '10.96.20.2',
    clusterIPs: ['10.96.20.2'],
    ...extra,
  });
  const age = { creationTimestamp: '2026-11-21T00:00:00Z', uid: 'uid-b' };
  return { metadata: { ...metadata, ...age }, ...rest };
}

function sliceOn(...names: readonly string[]): ReturnType<typeof rawSlice> {
  const slice = rawSlice(
    'a',
    names.map((_, index) => `10.244.1.${index + 1}`),
  );
  const { endpoints } = slice as unknown as { endpoints: readonly object[] };
  return {
    ...slice,
    endpoints: endpoints.map((one, index) => ({ ...one, nodeName: names[index] })),
  };
}

function manifest(clusterIP: string): string {
  const { metadata, spec } = rawService('a') as unknown as { metadata: object; spec: object };
  const own = { ...spec, clusterIP, clusterIPs: undefined };
  return JSON.stringify({ apiVersion: 'v1', kind: 'Service', metadata, spec: own });
}

/** Removes a rule of ours, as another process would, and lets the daemon see it. */
async function drift({ daemon: { kernel } }: Place): Promise<void> {
  kernel.change('IPv4', (program) => {
    const [id = ''] = [...program].flatMap(([id, { owner }]) =>
      owner === 'default/a' ? [id] : [],
    );
    program.delete(id);
  });
}

const situations: Readonly<Record<string, Situation>> = {
  'The API server is away': {
    begin: ({ server }) => server.goAway(),
    end: ({ server }) => server.comeBack(),
  },
  'An object of the API cannot be used': {
    begin: ({ server }) => server.store.set('Service', service(99_999)),
    end: ({ server }) => server.store.set('Service', service(81)),
  },
  'A manifest cannot be used': {
    source: 'manifests',
    begin: ({ file }) => writeFileSync(file, manifest('x')),
    end: ({ file }) => writeFileSync(file, manifest('10.96.20.3')),
  },
  'The rules of a Service are refused': {
    begin({ daemon: { kernel }, server }) {
      kernel.fault = refusing(({ text }) => text.includes('10.244.9.9'));
      server.store.set('EndpointSlice', rawSlice('a', ['10.244.9.9']));
    },
    end: ({ server }) => server.store.set('EndpointSlice', rawSlice('a', ['10.244.1.2'])),
  },
  'A change would take away more than a limit allows': {
    changeLimits: { endpointsLost: 50, servicesLost: undefined },
    begin: ({ server }) => server.store.set('EndpointSlice', rawSlice('a', [])),
    end: ({ server }) => server.store.set('EndpointSlice', rawSlice('a', ['10.244.1.2'])),
  },
  'The kernel takes no rules at all': {
    begin({ daemon: { kernel }, server }) {
      kernel.fault = () => new Error('the kernel is away');
      server.store.set('EndpointSlice', rawSlice('a', ['10.244.1.2']));
    },
    async end({ daemon: { kernel, clock } }) {
      kernel.fault = undefined;
      await clock.waiting(1000);
      await clock.advance(1000);
    },
  },
  'Another process changed our rules': { begin: drift, end: () => {} },
  'Another process undoes each repair': {
    async before(place) {
      const { daemon, server } = place;
      for (let repair = 1; repair <= quickRepairs; repair += 1) {
        await drift(place);
        await daemon.log.reached('somebody changed our rules: repaired', repair);
      }
      // One Event stands for all that say the same.
      await server.events.taken(2);
    },
    begin: drift,
    end: ({ daemon: { clock } }) => clock.advance(60_000),
  },
  'Another proxy programs this node too': {
    async begin({ daemon: { clock }, others }) {
      others.isThere = true;
      await clock.advance(fiveMinutesMs);
    },
    async end({ daemon: { clock }, others }) {
      others.isThere = false;
      await clock.advance(fiveMinutesMs);
    },
  },
  'Two Services claim an address': {
    begin: ({ server }) => {
      server.store.set('Service', service(80, shared));
      server.store.set('Service', young('b', shared));
    },
    end: ({ server }) => server.store.set('Service', young('b', {})),
  },
  'The Node object is missing': {
    begin({ server }) {
      server.store.delete('Node', 'node-1');
    },
    end: ({ server }) => server.store.set('Node', node),
  },
  "No Node has this node's name": {
    begin({ server }) {
      server.store.set('EndpointSlice', sliceOn('node-8', 'node-7'));
      server.store.delete('Node', 'node-1');
    },
    end: ({ server }) => server.store.set('Node', node),
  },
  'The Node object is of another host': {
    begin: ({ server }) => server.store.set('Node', rawNode('node-1', ['192.168.9.9'])),
    end: ({ server }) => server.store.set('Node', node),
  },
};

const tables = cellsIn(readFileSync('docs/operations.md', 'utf8'));

test('every situation of the document is brought about', () => {
  expect(Object.keys(situations)).toEqual([...tables.keys()]);
});

describe.each(modes)('in %s mode', (mode) => {
  test.concurrent.each(Object.entries(situations))('%s', async (title, situation) => {
    const [during, after] = tables.get(title) ?? [];
    if (during === undefined || after === undefined) throw new Error(`no table of ${title}`);
    await using stand = await started(mode, situation);
    await situation.before?.(stand.place);
    for (const [change, cells] of [
      [situation.begin, during],
      [situation.end, after],
    ] as const) {
      stand.forget();
      await change(stand.place);
      await stand.awaited(cells);
      expect(await stand.differences(cells)).toEqual({});
    }
  });
});

async function started(mode: ProxyMode, { source, changeLimits }: Situation) {
  const server = await StandInApiServer.start();
  server.store.set('Service', service(80));
  server.store.set('EndpointSlice', rawSlice('a', ['10.244.1.1']));
  server.store.set('Node', node);
  const folder = mkdtempDisposableSync(join(tmpdir(), 'sluice-situations-'));
  const file = join(folder.path, 'services.yaml');
  writeFileSync(file, manifest('10.96.20.3'));
  const others = { isThere: false };
  const stdin = (async function* () {})();
  const from: Source =
    source === 'manifests'
      ? manifestSource(file, { stdin, stateFolder: undefined })
      : clusterSource(configFor(mode, ['--master', server.url]));
  const daemon = await startDaemon(mode, [], {
    source: from,
    exec: execWith(others),
    ...(changeLimits && { changeLimits }),
  });
  await daemon.log.reached('in step', 1);
  // That it starts is told as well.
  if (source === undefined) await server.events.taken(1);
  const place = { daemon, server, file, others };
  const eventsBefore = new Set<object>();
  return {
    place,
    forget() {
      daemon.log.all.length = 0;
      for (const event of server.events.all) eventsBefore.add(event);
    },
    /** Resolves when all that is told once was told. */
    async awaited({ log, Event }: Cells): Promise<void> {
      for (const { text } of log) await daemon.log.until((line) => matches(text, line.msg));
      if (source === undefined) await server.events.taken(eventsBefore.size + Event.length);
    },
    differences: (cells: Cells) => differences(cells, { place, eventsBefore }),
    async [Symbol.asyncDispose]() {
      await daemon.stop();
      await server[Symbol.asyncDispose]();
      folder.remove();
    },
  };
}

type Stand = { readonly place: Place; readonly eventsBefore: ReadonlySet<object> };

/** Asks wherever people look, and returns what is not as the cells have it. */
async function differences(cells: Cells, { place, eventsBefore }: Stand) {
  const { daemon, server } = place;
  const { exitCode, stdout } = await commandLine(['status', '--daemon', daemon.urls.debug]);
  const get = async (url: string): Promise<string> => (await fetch(url)).text();
  return differencesFrom(cells, {
    log: daemon.log.all,
    status: stdout,
    exitCode,
    metrics: await get(`${daemon.urls.metrics}/metrics`),
    page: textOf(await get(`${daemon.urls.debug}/status`)),
    events: server.events.all.filter((event) => !eventsBefore.has(event)),
  });
}

const withKubeProxy: Readonly<Record<string, string>> = {
  'list tables': 'table ip kube-proxy\n',
  '-y list table ip kube-proxy': 'table ip kube-proxy {\n}\n',
};

/** Tools of which nft alone is there, with kube-proxy's table or without. */
function execWith(others: { readonly isThere: boolean }): Exec {
  return async (file, args) => {
    if (file !== 'nft') throw missingTool(file);
    const stdout = others.isThere ? withKubeProxy[args.join(' ')] : undefined;
    return { stdout: stdout ?? '', stderr: '', exitCode: stdout === undefined ? 1 : 0 };
  };
}
