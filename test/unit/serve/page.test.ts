// The page as text: nothing that a cluster's user wrote becomes anything but text in it.
import { expect, test } from 'vitest';
import type { DaemonStatus } from '../../../src/model/daemon-status.ts';
import type { Frontend, Route, ServiceForwarding } from '../../../src/model/forwarding.ts';
import type { Ip } from '../../../src/model/ip.ts';
import type { ServiceKey } from '../../../src/model/kubernetes.ts';
import type { PassRecord } from '../../../src/model/pass-record.ts';
import { notFound } from '../../../src/serve/answer.ts';
import { html } from '../../../src/serve/page/html.ts';
import type { PageData } from '../../../src/serve/page/overview.ts';
import { pageAt } from '../../../src/serve/page/pages.ts';

const evil = `"'><script>alert(1)</script>&\u202E\u0000`;
const harmless = '&quot;&#39;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;\\u{202e}\\u{0}';
const key = `demo/${evil}` as ServiceKey;
const cause = { object: `Service ${evil}`, field: evil, value: evil } as const;
const endpoint = (port: number) => ({ ip: '10.0.0.1' as Ip, port, isLocal: true });

function frontend(route: Route): Frontend {
  const address = { ip: '10.96.0.1' as Ip, protocol: 'tcp', port: 80 } as const;
  return {
    kind: 'ClusterIP',
    address,
    service: key,
    portName: evil,
    route,
    allowFrom: undefined,
    openTo: [],
  };
}

function forwarding(size: number): ServiceForwarding {
  const pool = {
    members: Array.from({ length: size }, (_, index) => endpoint(index + 1)),
    skipped: [{ endpoint: endpoint(9999), reason: { kind: 'other-zone', ...cause } }],
    policy: 'Cluster',
    affinitySeconds: 0,
    reasons: [],
  } as const;
  const kept = 'keep-undetected' as const;
  const source = { pod: kept, node: kept, outside: kept };
  const policy = { kind: 'policy-cluster', ...cause } as const;
  const route = {
    kind: 'forward',
    pool,
    policy,
    masquerade: 'none',
    source,
    sourceCause: cause,
  } as const;
  return { service: key, family: 'IPv4', frontends: [frontend(route)], healthCheck: undefined };
}

const pass: PassRecord = {
  number: 1,
  atMs: 0,
  asked: ['cluster'],
  changes: [],
  families: [
    {
      family: 'IPv4',
      isFull: true,
      error: evil,
      plan: { create: 0, replace: 0, delete: 0 },
      services: { count: 1, first: [key] },
      quarantined: { count: 0, first: [] },
      notProgrammed: { quarantined: 0, conflicts: 0 },
      durationMs: 1,
      phaseMs: { resolve: 0, plan: 0, apply: 1 },
    },
  ],
};

const status: DaemonStatus = {
  version: 4,
  troubles: [],
  sluice: '0.1.0',
  node: evil,
  mode: 'nftables',
  tools: [evil],
  kernel: evil,
  startedAtMs: 0,
  nowMs: 0,
  memoryBytes: 0,
  source: { kind: 'manifests', path: evil },
  families: [
    {
      family: 'IPv4',
      isHealthy: false,
      sinceUpdateMs: 0,
      services: 1,
      frontends: 1,
      endpoints: 1,
      quarantined: { count: 1, first: [{ service: key, why: evil }] },
      conflicts: {
        count: 1,
        first: [{ service: key, address: evil, winner: key, reason: { kind: 'older', ...cause } }],
      },
    },
  ],
  passes: { count: 1, last: [pass] },
};

const read = (size = 1): PageData => ({
  status,
  passes: [pass],
  services: new Map([[key, [forwarding(size)]]]),
  pathsOf: () => () => ({ chains: [{ table: evil, chain: evil }], stop: undefined }),
});

const servicePath = `/status/service/demo/${encodeURIComponent(evil)}`;

test.each([['/status'], ['/status/1'], [servicePath]])('%s holds no foreign markup', (path) => {
  const { status: code, headers, body } = pageAt(path, read) ?? notFound;
  expect(code).toBe(200);
  expect(body?.includes(harmless)).toBe(true);
  const [, nonce = 'none'] =
    /script-src 'nonce-([^']+)'/.exec(headers['Content-Security-Policy'] ?? '') ?? [];
  expect(body?.match(/<(script|style)[^>]*>/g)?.toSorted()).toEqual([
    `<script nonce="${nonce}">`,
    `<style nonce="${nonce}">`,
  ]);
  expect(body).not.toMatch(/style="|onclick=|javascript:|https?:/);
});

test('no two answers have the same nonce', () => {
  const policy = (): string | undefined =>
    pageAt('/status', read)?.headers['Content-Security-Policy'];
  expect(policy()).not.toBe(policy());
});

/** The texts of the page's SVG, one after the other. */
const textsIn = (body: string): readonly string[] =>
  [...body.matchAll(/<text[^>]*>([^<]*)/g)].map(([, text = '']) => text);

test('a picture says how many it does not draw', () => {
  const body = pageAt(servicePath, () => read(40))?.body ?? '';
  expect(textsIn(body)).toEqual([
    'client to tcp 10.96.0.1:80',
    '&quot;&#39;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;\\u{202e}\\u{0}, chain …',
    ...Array.from({ length: 12 }, (_, n) => [`10.0.0.1:${n + 1}`, '2.5 %, on this node']).flat(),
    '28 more endpoints',
    '70.0 % together',
    '10.0.0.1:9999',
    'skipped: meant for another zone: &quot;&#39;&gt;&lt;script&gt;alert(1…',
  ]);
});

test.each([
  ['/status/service/demo/none', 404],
  ['/status/service/%zz/none', 404],
  ['/status/0', 404],
  ['/status/x', 404],
  ['/statusx', undefined],
  ['/metrics', undefined],
])('%s: %s', (path, code) => {
  expect(pageAt(path, read)?.status).toBe(code);
});

/** The paths of all links in a page. */
const linksIn = (path: string, data: () => PageData): readonly string[] => {
  const body = pageAt(path, data)?.body ?? '';
  return [...body.matchAll(/<a href="([^"#]*)/g)].map(([, href = '']) => href);
};

test('no link leads to a page that is not there', () => {
  const lost = 'demo/lost' as ServiceKey;
  const [family] = status.families;
  if (family === undefined) throw new Error('no family');
  const quarantined = { count: 1, first: [{ service: lost, why: 'refused' }] };
  const conflict = { service: lost, address: 'tcp 10.96.0.1 80', winner: key };
  const conflicts = {
    count: 1,
    first: [{ ...conflict, reason: { kind: 'older', ...cause } }],
  } as const;
  const services = new Map(
    Array.from({ length: 450 }, (_, n) => [`demo/s-${n}` as ServiceKey, [forwarding(1)]] as const),
  );
  const data = (): PageData => ({
    ...read(),
    status: { ...status, families: [{ ...family, quarantined, conflicts }] },
    services,
  });
  expect(pageAt('/status', data)?.body).toContain('demo/lost');
  const pages = ['/status', '/status/2', '/status/3', '/status/service/demo/s-7', '/status/x'];
  const links = new Set(pages.flatMap((page) => linksIn(page, data)));
  expect(links.size).toBeGreaterThan(450);
  expect([...links].filter((link) => pageAt(link, data)?.status !== 200)).toEqual([]);
});

test.each([
  ['no endpoint here', [], 'dropped from outside, forwarded from pods and this node'],
  ['an endpoint here', [endpoint(1)], 'forwarded'],
] as const)('externalTrafficPolicy Local with %s is said as it is', (_what, members, fate) => {
  const [{ route }] = forwarding(1).frontends as [Frontend];
  if (route.kind !== 'forward') throw new Error(route.kind);
  const { masquerade: _masquerade, ...rest } = route;
  const local: Route = {
    ...rest,
    kind: 'forward-local',
    pool: { ...route.pool, members },
    cluster: route.pool,
  };
  const web = { ...forwarding(1), frontends: [{ ...frontend(local), portName: 'http' }] };
  const data = (): PageData => ({ ...read(), services: new Map([[key, [web]]]) });
  const body = pageAt(servicePath, data)?.body ?? '';
  const [, heading] = /<h2>([^<]*)<\/h2>/.exec(body) ?? [];
  expect(heading).toBe(`IPv4, port http, ClusterIP: ${fate}`);
});

test('a template escapes values, and lets through what templates made', () => {
  expect(String(html`<b>${['<', html`<i>${'&'}</i>`, 1, undefined]}</b>`)).toBe(
    '<b>&lt;<i>&amp;</i>1</b>',
  );
});
