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
  expect(textOf(kind, 'chain KUBE-NODEPORT-LOCAL')).toBe(`\
chain KUBE-NODEPORT-LOCAL {
  ip saddr 10.244.0.0/16 goto nodeport-endpoints comment "pod traffic for a Service's external destinations"
  fib saddr type local meta mark set meta mark | 0x00004000 comment "masquerade LOCAL traffic for a Service's external destinations"
  fib saddr type local goto nodeport-endpoints comment "route LOCAL traffic for a Service's external destinations"
  goto nodeport-local-endpoints
}`);
  const slots = [...programOf([kind]).keys()].filter((id) => id.startsWith('nodeport-'));
  expect(slots).toEqual([
    'nodeport-local-services tcp . 30080',
    ...[0, 1, 2].map((slot) => `nodeport-endpoints-tcp-3 30080 . ${slot}`),
    'nodeport-local-endpoints-tcp-1 30080 . 0',
  ]);
});

test('with no endpoint on this node the chain of externalTrafficPolicy Local is the same', () => {
  const kind = { ...outward, externalTrafficPolicy: 'Local' } as const;
  const id = 'chain KUBE-NODEPORT-LOCAL';
  expect(textOf({ ...kind, local: 0 }, id)).toBe(textOf(kind, id));
});

test('each number of endpoints is asked in turn, the fewest first', () => {
  const kinds = [9, 10, 2].map((remote): Kind => ({ local: 0, remote }));
  expect(
    programOf([...kinds, { local: 0, remote: 2, protocol: 'udp' }]).get('chain endpoints')?.text,
  ).toBe(`\
chain endpoints {
  meta l4proto tcp jump endpoints-tcp-2
  meta l4proto tcp jump endpoints-tcp-9
  meta l4proto tcp jump endpoints-tcp-10
  meta l4proto udp jump endpoints-udp-2
}`);
  expect(textOf({ local: 0, remote: 2 }, 'chain endpoints-tcp-2')).toBe(`\
chain endpoints-tcp-2 {
  dnat ip to ip daddr . tcp dport . numgen random mod 2 map @endpoints-tcp-2
}`);
});

test('affinity is a set and a chain for each endpoint, asked before chance', () => {
  const kind = { local: 1, remote: 1, affinitySeconds: 60 } as const;
  const name = 'BB7DUN2I-ns/service-1/tcp/http';
  const one = 'OOLBFGXN-ns/service-1/tcp/http__10.244.1.11/8080';
  const other = 'XDKVIB3R-ns/service-1/tcp/http__10.244.2.11/8080';
  const program = programOf([kind]);
  expect(program.get(`chain service-${name}`)?.text).toBe(`\
chain service-${name} {
  ip saddr @affinity-60s-${one} goto endpoint-${one}
  ip saddr @affinity-60s-${other} goto endpoint-${other}
  numgen random mod 2 0 goto endpoint-${one}
  goto endpoint-${other}
}`);
  expect(program.get(`chain endpoint-${one}`)?.text).toBe(`\
chain endpoint-${one} {
  update @affinity-60s-${one} { ip saddr }
  meta l4proto tcp dnat to 10.244.1.11:8080
}`);
  const own = [...program.values()].filter(({ id }) => id.includes(name.slice(9)));
  expect(own.map(({ id, owner }) => `${id} of ${owner}`).toSorted()).toEqual(
    [
      `chain endpoint-${one}`,
      `chain endpoint-${other}`,
      `chain internal-${name}`,
      `chain service-${name}`,
      `set affinity-60s-${one}`,
      `set affinity-60s-${other}`,
    ].map((id) => `${id} of ns/service-1`),
  );
});

test.each<Family>(['IPv4', 'IPv6'])('no shared %s chain names a Service', (family) => {
  const config = configFor('nftables');
  const program = wanted({ backend, config }, family, everyKind(family));
  const shared = [...program.values()].filter(({ id }) =>
    /^chain (KUBE-|.*endpoints(-[a-z]+-\d+)?$)/.test(id),
  );
  expect(shared.length).toBe(30);
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
  expect(statementText({ dnat: { addr: 'fd00::0:1', port: 80 } })).toBe('dnat to [fd00::1]:80');
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
