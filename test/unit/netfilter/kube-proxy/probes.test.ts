// Traced through the rules that kube-proxy left, every probe of a conformance case meets what it met in
// the laboratory: the interpreter and the kernel agree.
import { globSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { nodes, outside, pods } from '../../../../src/lab/topology.ts';
import type { ProxyMode } from '../../../../src/model/config.ts';
import { families, familyOf, parseIp } from '../../../../src/model/ip.ts';
import type { Family, Ip } from '../../../../src/model/ip.ts';
import type { Protocol } from '../../../../src/model/kubernetes.ts';
import type { Client } from '../../../../src/netfilter/kube-proxy/compare.ts';
import type { TracedOutcome } from '../../../../src/netfilter/kube-proxy/outcome.ts';
import type { Packet } from '../../../../src/netfilter/trace.ts';
import type { Expectation, Probe } from '../../../conformance/case.ts';
import { caseFolder, expectationOf, readCase } from '../../../conformance/case.ts';
import { clients, hostIps, leftBehind } from './left-behind.ts';

const names = globSync('*.yaml', { cwd: fileURLToPath(caseFolder) })
  .map((file) => file.replace(/\.yaml$/, ''))
  .toSorted();
const [node1] = nodes;

describe.each(['iptables', 'nftables'] as const)('%s', (mode) => {
  const rules = Object.fromEntries(families.map((family) => [family, leftBehind(mode, family)]));

  // The rules were saved when the first step of every case stood.
  test.each(names)('%s', async (name) => {
    const [first] = (await readCase(name)).steps;
    // A health check port is answered by a server and not by a rule.
    for (const probe of (first?.probes ?? []).filter(({ protocol }) => protocol !== 'http')) {
      const packet = packetOf(probe);
      const outcomes = rules[familyOf(packet.destination)]?.trace(packet) ?? [];
      expect({ probe, ...seen(outcomes, packet, expectedOf(probe, mode)) }).toEqual({
        probe,
        ...expectedOf(probe, mode),
      });
    }
  });
});

type Summary = Pick<Expectation, 'result' | 'backends' | 'sources'>;

function expectedOf(probe: Probe, mode: ProxyMode): Summary {
  const { result, backends, sources } = expectationOf(probe, mode);
  // Affinity is the kernel's memory; a pod that is addressed itself is found by no rule.
  const isOpen = backends === 'exactly one' || hostWith(probe.to) !== undefined;
  if (result !== 'ok' || isOpen) return { result };
  return { result, ...(backends && { backends }), ...(sources && { sources }) };
}

function seen(
  outcomes: readonly TracedOutcome[],
  packet: Packet,
  { backends, sources }: Summary,
): Summary {
  const results = new Set(outcomes.map((outcome) => resultOf(outcome, packet)));
  expect(results.size).toBe(1);
  const [result = 'timeout'] = results;
  const hosts = outcomes.map(({ endpoint }) => hostWith(endpoint?.ip ?? '') ?? '');
  return {
    result,
    ...(backends && { backends: hosts.toSorted() }),
    ...(sources && { sources: sourcesOf(outcomes, packet) }),
  };
}

function resultOf({ verdict }: TracedOutcome, { destination, port }: Packet): Summary['result'] {
  switch (verdict) {
    case 'forwarded':
      return 'ok';
    case 'rejected':
      return 'refused';
    case 'dropped':
      return 'timeout';
    case 'unknown':
      throw new Error('every rule of these is understood');
    case 'untouched': {
      const host = hostWith(destination);
      // Nodes listen on one port; all else is routed to where nobody answers.
      if (host?.startsWith('n') === true) return port === 18080 ? 'ok' : 'refused';
      if (host !== undefined) return 'ok';
      return hostIps.includes(destination) ? 'refused' : 'timeout';
    }
  }
}

// What is masqueraded gets the address of the interface that it leaves by: the bridge or the LAN.
function sourcesOf(outcomes: readonly TracedOutcome[], packet: Packet): readonly string[] {
  const of = familyOf(packet.destination) === 'IPv4' ? 'ipv4' : 'ipv6';
  const here = pods.filter(({ node }) => node === node1).map(({ address }) => address[of]);
  const sources = outcomes.map(({ endpoint, isMasqueraded }) => {
    if (!isMasqueraded) return packet.source;
    return here.includes(endpoint?.ip ?? '') ? node1.gateway[of] : node1.lan[of];
  });
  return [...new Set(sources)].toSorted();
}

function hostWith(ip: string): string | undefined {
  const hosts = [...pods, ...nodes.map(({ host, lan }) => ({ host, address: lan }))];
  return hosts.find(({ address }) => Object.values(address).includes(ip))?.host;
}

function packetOf({ from, to, protocol, port }: Probe): Packet {
  const destination = parseIp(to) as Ip;
  const client = clientOf(from, familyOf(destination), destination);
  return { ...client, destination, protocol: protocol as Protocol, port };
}

function clientOf(host: string, family: Family, destination: Ip): Client {
  const of = family === 'IPv4' ? 'ipv4' : 'ipv6';
  const hosts = [...pods, ...nodes.map((node) => ({ host: node.host, address: node.lan }))];
  const { address } = hosts.find((one) => one.host === host) ?? { address: outside };
  const isLoopback = destination === '::1' || destination.startsWith('127.');
  const source = host === 'n1' && isLoopback ? destination : address[of];
  const client = clients.find((one) => one.source === source);
  if (client === undefined) throw new Error(`no client has the address of ${host}`);
  return client;
}
