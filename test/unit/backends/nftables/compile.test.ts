// The spelling in nft's own language: what Services share, and what they have of their own.
import { expect, test } from 'vitest';
import { createNftablesBackend } from '../../../../src/backends/nftables/backend.ts';
import { statementText } from '../../../../src/backends/nftables/expression.ts';
import type { Family } from '../../../../src/model/ip.ts';
import { everyKind, objectsOf, type Kind } from '../../../support/every-kind.ts';
import { configFor } from '../../../support/config.ts';
import { wanted } from '../../../support/nftables-machine.ts';

const backend = createNftablesBackend(
  (file) => Promise.reject(new Error(`no tool is run here, not ${file}`)),
  'text',
);

function programOf(kinds: readonly Kind[], flags: readonly string[] = []) {
  const config = configFor('nftables', flags);
  const objects = kinds.flatMap((kind, index) => objectsOf('IPv4', kind, index + 1));
  return wanted({ backend, config }, 'IPv4', objects);
}

function textOf(kind: Kind, id: string): string | undefined {
  return programOf([kind]).get(id)?.text;
}

const outward = { local: 1, remote: 2, nodePort: 30_080 } as const;

test('externalTrafficPolicy Local is one chain, and slots of the node beside those of the cluster', () => {
  const kind = { ...outward, externalTrafficPolicy: 'Local' } as const;
  expect(textOf(kind, 'chain KUBE-NODEPORT-LOCAL-tcp-3-1')).toBe(`\
chain KUBE-NODEPORT-LOCAL-tcp-3-1 {
  ip saddr 10.244.0.0/16 goto nodeport-endpoints-tcp-3 comment "pod traffic for a Service's external destinations"
  fib saddr type local meta mark set meta mark | 0x00004000 comment "masquerade LOCAL traffic for a Service's external destinations"
  fib saddr type local goto nodeport-endpoints-tcp-3 comment "route LOCAL traffic for a Service's external destinations"
  goto nodeport-local-endpoints-tcp-1
}`);
  const slots = [...programOf([kind]).keys()].filter((id) => id.startsWith('nodeport-'));
  expect(slots).toEqual([
    ...[0, 1, 2].map((slot) => `nodeport-endpoints-tcp 30080 . ${slot}`),
    'nodeport-local-endpoints-tcp 30080 . 0',
  ]);
});

test('with no endpoint on this node the chain of externalTrafficPolicy Local leaves others alone', () => {
  const kind = { ...outward, local: 0, externalTrafficPolicy: 'Local' } as const;
  expect(textOf(kind, 'chain KUBE-NODEPORT-LOCAL-tcp-2-0')?.split('\n').slice(1, -1)).toEqual([
    expect.stringMatching(/^ {2}ip saddr 10\.244\.0\.0\/16 goto nodeport-endpoints-tcp-2 comment/),
    expect.stringMatching(/^ {2}fib saddr type local meta mark set/),
    expect.stringMatching(/^ {2}fib saddr type local goto nodeport-endpoints-tcp-2 comment/),
  ]);
});

const draw = (slots: number): string =>
  `  dnat ip to ip daddr . tcp dport . numgen random mod ${slots} map @endpoints-tcp\n`;

test.each([
  { endpoints: 2, capacity: 2, draws: [2] },
  { endpoints: 3, capacity: 3, draws: [3] },
  // A draw out of eight meets seven or eight: six of them leave less than 1 in 65,536.
  { endpoints: 7, capacity: 8, draws: [8, 8, 8, 8, 8, 8, 6] },
  { endpoints: 8, capacity: 8, draws: [8, 8, 8, 8, 8, 8, 6] },
  { endpoints: 9, capacity: 12, draws: [12, 12, 12, 12, 12, 12, 12, 12, 8] },
])('one of $endpoints endpoints is drawn out of $capacity', ({ endpoints, capacity, draws }) => {
  expect(textOf({ local: 0, remote: endpoints }, `chain endpoints-tcp-${capacity}`)).toBe(
    `chain endpoints-tcp-${capacity} {\n${draws.map(draw).join('')}}`,
  );
});

test('affinity is a map of clients for a Service port, asked before a slot is drawn', () => {
  const kind = { local: 1, remote: 1, affinitySeconds: 60 } as const;
  const name = 'BB7DUN2I-ns/service-1/tcp/http';
  const program = programOf([kind]);
  const map = `affinity-60s-8080-${name}`;
  expect(program.get(`chain internal-${name}`)?.text).toBe(`\
chain internal-${name} {
  ip saddr != 10.244.0.0/16 meta mark set meta mark | 0x00004000 comment "masquerade traffic from outside the pod network"
  meta l4proto tcp dnat to ip saddr map @${map}:8080 comment "ns/service-1:http"
  goto endpoints-tcp-2 comment "ns/service-1:http"
}`);
  expect(program.get(`chain remember-${name}`)?.text).toBe(`\
chain remember-${name} {
  tcp dport 8080 update @${map} { ct original ip saddr : ip daddr }
}`);
  const clients = '# clients of 10.244.1.11 . 8080, 10.244.2.11 . 8080';
  expect(program.get(`map ${map}`)?.text).toBe(
    `map ${map} { typeof ip saddr : ip daddr ; flags dynamic,timeout ; timeout 60s ; size 65535 ; } ${clients}`,
  );
  const own = [...program.values()].filter(({ id, text }) => `${id} ${text}`.includes(name));
  expect(own.map(({ id, owner }) => `${id} of ${owner}`).toSorted()).toEqual(
    [
      'affinity-ips-tcp 10.96.0.1 . 80',
      `chain internal-${name}`,
      `chain remember-${name}`,
      `map ${map}`,
      'service-ips 10.96.0.1 . tcp . 80',
    ].map((id) => `${id} of ns/service-1`),
  );
});

test.each<Family>(['IPv4', 'IPv6'])('no shared %s chain names a Service', (family) => {
  const config = configFor('nftables');
  const program = wanted({ backend, config }, family, everyKind(family));
  const shared = [...program.values()].filter(({ id }) =>
    /^chain (KUBE-|.*endpoints-[a-z]+-\d+$)/.test(id),
  );
  expect(shared.length).toBe(48);
  expect(shared.filter(({ text }) => text.includes('service-'))).toEqual([]);
});

test('node ports are at all local addresses but loopback, or at the ones that were asked for', () => {
  const lastLine = (program: ReadonlyMap<string, { readonly text: string }>) =>
    program
      .get('chain services')
      ?.text.trimEnd()
      .split('\n')
      .findLast((line) => line !== '}');
  const all = programOf([outward], ['--nodeport-addresses', '0.0.0.0/0']);
  const comment = 'comment "send to the Service with this node port"';
  expect(lastLine(all)).toBe(
    `  fib daddr type local ip daddr != 127.0.0.0/8 meta l4proto . th dport vmap @service-nodeports ${comment}`,
  );
  const some = programOf([outward], ['--nodeport-addresses', '192.168.0.0/24']);
  expect(lastLine(some)).toBe(
    `  ip daddr @nodeport-ips meta l4proto . th dport vmap @service-nodeports ${comment}`,
  );
  const ips = [...some.keys()].filter((id) => id.startsWith('nodeport-ips '));
  expect(ips).toEqual(['nodeport-ips 192.168.0.2']);
});

test('what nft lists in another form reads the same', () => {
  const isProtocol = (right: string | number) =>
    statementText({ match: { op: '==', left: { meta: { key: 'l4proto' } }, right } });
  expect(isProtocol(132)).toBe(isProtocol('sctp'));
  expect(
    statementText({
      match: {
        op: '!=',
        left: { payload: { protocol: 'ip6', field: 'saddr' } },
        right: { prefix: { addr: 'fd00:0::', len: 120 } },
      },
    }),
  ).toBe('ip6 saddr != fd00::/120');
});
