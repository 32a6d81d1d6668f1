// Rules for ten thousand Services are read and asked in time that grows with their number, not faster.
import { expect, test } from 'vitest';
import type { Ip } from '../../../../src/model/ip.ts';
import { packetsTo } from '../../../../src/netfilter/kube-proxy/compare.ts';
import type { Rules } from './left-behind.ts';
import { iptablesRules, nftRules } from './left-behind.ts';

const services = 10_000;
const pod = { origin: 'elsewhere', interface: 'cbr0', source: '10.244.0.1' as Ip } as const;

function addressOf(service: number): string {
  return `10.${96 + (service >> 16)}.${(service >> 8) & 255}.${service & 255}`;
}

function hash(service: number): string {
  return `S${service}`;
}

function savedRules(): string {
  const all = Array.from({ length: services }, (_, service) => service);
  const dispatch = all.map(
    (one) =>
      `-A KUBE-SERVICES -d ${addressOf(one)}/32 -p tcp -m comment --comment "ns/svc${one} cluster IP" -m tcp --dport 80 -j KUBE-SVC-${hash(one)}`,
  );
  const nodePorts = all.map(
    (one) => `-A KUBE-NODEPORTS -p tcp -m tcp --dport ${20_000 + one} -j KUBE-SVC-${hash(one)}`,
  );
  const chains = all.flatMap((one) => [
    `-A KUBE-SVC-${hash(one)} -m statistic --mode random --probability 0.50000000000 -j KUBE-SEP-${hash(one)}`,
    `-A KUBE-SVC-${hash(one)} -p tcp -m tcp -j DNAT --to-destination 10.244.0.9:8080`,
    `-A KUBE-SEP-${hash(one)} -p tcp -m tcp -j DNAT --to-destination 10.244.0.8:8080`,
  ]);
  const names = all.flatMap((one) => [
    `:KUBE-SVC-${hash(one)} - [0:0]`,
    `:KUBE-SEP-${hash(one)} - [0:0]`,
  ]);
  return [
    '*nat',
    ':PREROUTING ACCEPT [0:0]',
    ':KUBE-SERVICES - [0:0]',
    ':KUBE-NODEPORTS - [0:0]',
    ...names,
    '-A PREROUTING -j KUBE-SERVICES',
    ...dispatch,
    '-A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS',
    ...nodePorts,
    ...chains,
    'COMMIT',
  ].join('\n');
}

function listedRules(): string {
  const own = { family: 'ip', table: 'kube-proxy' };
  const all = Array.from({ length: services }, (_, service) => service);
  const payload = (protocol: string, field: string) => ({ payload: { protocol, field } });
  const ports = [{ meta: { key: 'l4proto' } }, payload('th', 'dport')];
  const goto = (one: number) => ({ goto: { target: hash(one) } });
  const numgen = { numgen: { mode: 'random', mod: 2, offset: 0 } };
  const slots = [8, 9].map((last, slot) => [slot, { concat: [`10.244.0.${last}`, 8080] }]);
  const dnat = { dnat: { family: 'ip', addr: { map: { key: numgen, data: { set: slots } } } } };
  const vmap = (key: readonly object[], data: string) => ({ vmap: { key: { concat: key }, data } });
  const local = {
    match: { op: '==', left: { fib: { result: 'type', flags: ['daddr'] } }, right: 'local' },
  };
  const serviceIps = all.map((one) => [{ concat: [addressOf(one), 'tcp', 80] }, goto(one)]);
  const nodePorts = all.map((one) => [{ concat: ['tcp', 20_000 + one] }, goto(one)]);
  return JSON.stringify({
    nftables: [
      { table: { family: 'ip', name: 'kube-proxy' } },
      { map: { ...own, name: 'service-ips', elem: serviceIps } },
      { map: { ...own, name: 'service-nodeports', elem: nodePorts } },
      { chain: { ...own, name: 'nat', type: 'nat', hook: 'prerouting', prio: -100 } },
      ...all.map((one) => ({ chain: { ...own, name: hash(one) } })),
      {
        rule: {
          ...own,
          chain: 'nat',
          expr: [vmap([payload('ip', 'daddr'), ...ports], '@service-ips')],
        },
      },
      { rule: { ...own, chain: 'nat', expr: [local, vmap(ports, '@service-nodeports')] } },
      ...all.map((one) => ({ rule: { ...own, chain: hash(one), expr: [dnat] } })),
    ],
  });
}

function askAll({ trace, addresses }: Rules): void {
  expect(addresses).toHaveLength(2 * services);
  let count = 0;
  for (const packet of packetsTo(addresses, { clients: [pod], nodeIps: ['127.0.0.1' as Ip] })) {
    const ips = trace(packet).map(({ endpoint, share }) => `${endpoint?.ip} ${share}`);
    expect(ips).toEqual(['10.244.0.8 0.5', '10.244.0.9 0.5']);
    count += 1;
  }
  expect(count).toBe(2 * services);
}

// Either takes about a second; were a packet to pass every rule of a chain, minutes.
const timeoutMs = 30_000;

test('iptables', () => askAll(iptablesRules(savedRules())), timeoutMs);

test('nftables', () => askAll(nftRules(listedRules(), 'IPv4')), timeoutMs);
