// What one change among 5,000 Services hands to iptables-restore: what it touches, and no more.
import { expect, test } from 'vitest';
import { encodePlan } from '../../../../src/backends/iptables/restore.ts';
import type { ServiceKey } from '../../../../src/model/kubernetes.ts';
import type { ServiceRules } from '../../../../src/model/ruleset.ts';
import { plan } from '../../../../src/netfilter/plan.ts';
import { assembly, cidr, decided, ip } from './fixture.ts';

const count = 5_000;

function podsOf(n: number, first: number, many: number): readonly string[] {
  return Array.from({ length: many }, (_, e) => `10.${200 + first + e}.${n >> 8}.${n & 255}`);
}

/** A Service of five endpoints with a node port; each tenth has a load balancer with source ranges too. */
function numbered(n: number, more = 0): ServiceRules {
  const external = {
    loadBalancerIps: [ip(`203.0.${n >> 8}.${n & 255}`)],
    sourceRanges: [cidr('192.0.2.0/24')],
    externalTrafficPolicy: 'Local',
    healthCheckNodePort: 20_000 + n,
  } as const;
  return decided(`ns/s${n}`, `10.96.${n >> 8}.${n & 255}`, {
    is: n % 10 === 0 ? external : {},
    nodePort: n + 1,
    local: podsOf(n, 0, 2 + more),
    remote: podsOf(n, 20, 3),
  });
}

const services = Array.from({ length: count }, (_, n) => numbered(n));
const made = assembly('IPv4', services);

/** The lines of a change, and all chains that they write or delete. */
function linesOf(changes: ReadonlyMap<ServiceKey, ServiceRules | undefined>): readonly string[] {
  const { before, after } = made.replace(changes);
  return encodePlan('IPv4', plan(before, after)).trimEnd().split('\n');
}

const branch = /^(?:-[AX] |:)KUBE-((SVCS|NPS|EXTS|ENPS|FWS)-|SERVICES|NODEPORTS|PROXY-FIREWALL)/;

test.each([0, 1, count - 1])('an endpoint more, of Service %i', (n) => {
  const was = numbered(n);
  const lines = linesOf(new Map([[was.service, numbered(n, 1)]]));
  expect(lines.length).toBeLessThan(200);
  // No look-up changes for that: just chains of this Service.
  expect(lines.filter((line) => branch.test(line))).toEqual([]);
  expect(lines.filter((line) => line.startsWith('-A') && !line.includes(`ns/s${n}:`))).toEqual([]);
  expect(lines.filter((line) => line.startsWith(':KUBE-SEP-'))).toHaveLength(1);

  const back = linesOf(new Map([[was.service, was]]));
  expect(back.length).toBeLessThan(200);
  const gone = back.filter((line) => line.startsWith('-X'));
  expect(gone).toEqual([expect.stringMatching(/^-X KUBE-SEP-/)]);
});

test.each([0, 1, 255, 256, 4_711, count - 1])('Service %i goes, and comes', (n) => {
  const { service } = numbered(n);
  const whole = made.whole();
  const lines = linesOf(new Map([[service, undefined]]));
  expect(lines.length).toBeLessThan(200);
  // Nothing is left of it: each chain that was its own goes.
  const own = [...whole.values()].filter(({ owner }) => owner === service);
  const deleted = lines.filter((line) => line.startsWith('-X')).map((line) => line.slice(3));
  expect(deleted.filter((chain) => !branch.test(`:${chain}`)).toSorted()).toEqual(
    own.map(({ chain }) => chain).toSorted(),
  );
  expect([...made.whole().values()].filter(({ owner }) => owner === service)).toEqual([]);

  const back = linesOf(new Map([[service, numbered(n)]]));
  expect(back.length).toBeLessThan(200);
  expect(made.whole()).toEqual(whole);
});

test('a Service that nothing answers goes, and comes', () => {
  const none = decided('ns/none', '10.96.3.77', { nodePort: 31_000 });
  expect(linesOf(new Map([[none.service, none]])).length).toBeLessThan(200);
  expect(linesOf(new Map([[none.service, undefined]])).length).toBeLessThan(200);
});

test('a Service whose last endpoint goes', () => {
  const without = decided('ns/s77', '10.96.0.77', { nodePort: 78 });
  expect(linesOf(new Map([[without.service, without]])).length).toBeLessThan(200);
});
