// What `sluice status` prints, byte by byte; what comes from a cluster reaches no terminal as it is.
import { expect, test } from 'vitest';
import { statusText } from '../../../../src/cli/status/status-text.ts';
import { spanText } from '../../../../src/cli/report/table.ts';
import type { DaemonStatus } from '../../../../src/model/daemon-status.ts';
import type { ServiceKey } from '../../../../src/model/kubernetes.ts';
import type { FamilyRecord, PassRecord } from '../../../../src/model/pass-record.ts';

const nowMs = Date.parse('2026-01-31T12:00:00Z');
const key = (text: string): ServiceKey => text as ServiceKey;

function family(over: Partial<FamilyRecord> = {}): FamilyRecord {
  return {
    family: 'IPv4',
    isFull: false,
    plan: { create: 3, replace: 1, delete: 0 },
    services: { count: 3, first: [key('web/shop'), key('web/cart'), key('web/api')] },
    quarantined: { count: 0, first: [] },
    notProgrammed: { quarantined: 0, conflicts: 0 },
    durationMs: 12.34,
    phaseMs: { resolve: 1, plan: 1, apply: 10.34 },
    ...over,
  };
}

const passes: readonly PassRecord[] = [
  {
    number: 8,
    atMs: nowMs - 2000,
    asked: ['retry'],
    changes: [],
    families: [family({ error: 'nft: \u001B[31mno' })],
  },
  {
    number: 7,
    atMs: nowMs - 90_000,
    asked: ['cluster'],
    changes: [
      { kind: 'EndpointSlice', count: 1, first: ['web/shop-1'] },
      { kind: 'Service', count: 2, first: ['web/shop', 'web/cart'] },
    ],
    families: [family()],
  },
];

const status: DaemonStatus = {
  version: 4,
  troubles: [],
  sluice: '0.1.0',
  node: 'node-1',
  mode: 'nftables',
  tools: ['nft 1.0.6 is here', 'and more'],
  kernel: '6.1.0-28-amd64',
  startedAtMs: nowMs - 7_200_000,
  nowMs,
  memoryBytes: 69_400_000,
  source: { kind: 'api-server', reach: { isConnected: false, sinceMs: nowMs - 300_000 } },
  families: [
    {
      family: 'IPv4',
      isHealthy: false,
      sinceUpdateMs: 90_000,
      services: 12,
      frontends: 25,
      endpoints: 40,
      quarantined: {
        count: 2,
        first: [{ service: key('web/evil'), why: 'nft: \u001B]0;x\u0007' }],
      },
      conflicts: {
        count: 1,
        first: [
          {
            service: key('web/b'),
            address: 'tcp 10.96.0.1 80',
            winner: key('web/a'),
            reason: {
              kind: 'older',
              object: 'Service web/a',
              field: 'metadata.creationTimestamp',
              value: '2026-01-01T00:00:00Z',
            },
          },
        ],
      },
    },
  ],
  passes: { count: 8, last: passes },
};

const wide = { paint: (_: string, text: string) => text, columns: Number.POSITIVE_INFINITY };

test('everything that there is to say', () => {
  expect(statusText(status, wide)).toBe(`\
Sluice 0.1.0 on node-1: nftables mode, running for 2 h
  tools    nft 1.0.6 is here
           and more
  kernel   6.1.0-28-amd64
  memory   69 MB
  objects  API server: not heard for 5 min; the rules stay

FAMILY  STATE   IN STEP    SERVICES  ADDRESSES  ENDPOINTS  QUARANTINED  CONFLICTS
IPv4    behind  1 min ago        12         25         40            2          1

quarantined Services, with their last good rules
  IPv4 web/evil: nft: \\u001b]0;x\\u0007
  and 1 more

conflicts: addresses that another Service has
  IPv4 web/b: tcp 10.96.0.1 80: web/a is older and has it

PASS  ENDED      FAMILY  ASKED BY   RULES     MS  CHANGED                               SERVICES
   8  2 s ago    IPv4    try again  failed  12.3  no object                             nft: \\u001b[31mno
   7  1 min ago  IPv4    cluster    +3 ~1   12.3  EndpointSlice web/shop-1, 2 Services  web/shop, web/cart and 1 more
`);
});

test('a screen of 80 columns has all of it, and no line is wider', () => {
  const node = 'ip-10-0-12-34.eu-central-1.compute.internal';
  const evil =
    'Error: Could not process rule: No such file or directory; the map is too small for it';
  const [ipv4] = status.families;
  if (ipv4 === undefined) throw new Error('no family');
  const first = [{ service: key('kube-system/metrics-server'), why: evil }];
  const families = [{ ...ipv4, quarantined: { count: 1, first } }];
  const path = '/etc/kubernetes/sluice/objects';
  const problem = `${path}/services.yaml:12: Service shop/web: spec.ports[0].port: "80" is not a whole number`;
  const source = { kind: 'manifests', path, problems: { count: 1, first: [problem] } } as const;
  const text = statusText({ ...status, node, families, source }, { ...wide, columns: 80 });
  expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
  expect(text).toBe(`\
Sluice 0.1.0 on ip-10-0-12-34.eu-central-1.compute.internal: nftables mode,
  running for 2 h
  tools    nft 1.0.6 is here
           and more
  kernel   6.1.0-28-amd64
  memory   69 MB
  objects  manifests at /etc/kubernetes/sluice/objects

manifests that cannot be used: what was good before is kept
  /etc/kubernetes/sluice/objects/services.yaml:12: Service shop/web:
    spec.ports[0].port: "80" is not a whole number

FAMILY STATE  IN STEP   SERVICES ADDRESSES ENDPOINTS QUARANTINED CONFLICTS
IPv4   behind 1 min ago       12        25        40           1         1

quarantined Services, with their last good rules
  IPv4 kube-system/metrics-server: Error: Could not process rule: No such file
    or directory; the map is too small for it

conflicts: addresses that another Service has
  IPv4 web/b: tcp 10.96.0.1 80: web/a is older and has it

PASS  ENDED      FAMILY  ASKED BY   RULES     MS
   8  2 s ago    IPv4    try again  failed  12.3
      changed: no object
      services: nft: \\u001b[31mno
   7  1 min ago  IPv4    cluster    +3 ~1   12.3
      changed: EndpointSlice web/shop-1, 2 Services
      services: web/shop, web/cart and 1 more
`);
});

test('a start says that there is nothing yet', () => {
  const empty: DaemonStatus = {
    ...status,
    source: { kind: 'api-server' },
    families: [],
    passes: { count: 0, last: [] },
  };
  const lines = statusText(empty, wide).split('\n');
  expect(lines.slice(5)).toEqual([
    '  objects  API server: nothing was heard of it yet',
    '',
    'no rules yet',
    '',
  ]);
});

test.each([
  [-5, '0 s'],
  [999, '0 s'],
  [59_999, '59 s'],
  [60_000, '1 min'],
  [7_199_999, '1 h'],
  [172_800_000, '2 d'],
])('%i ms are %s', (ms, text) => {
  expect(spanText(ms)).toBe(text);
});
