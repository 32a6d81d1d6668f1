// The tracer says of every conformance probe what kube-proxy was seen to do, without a kernel.
import { globSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { decodeObject } from '../../../src/cluster/decode/object.ts';
import type { Host } from '../../../src/lab/topology.ts';
import { nodes, outside, pods } from '../../../src/lab/topology.ts';
import type { ProxyMode } from '../../../src/model/config.ts';
import type { Family, Ip } from '../../../src/model/ip.ts';
import { familyOf, parseIp } from '../../../src/model/ip.ts';
import type { ClusterObject, Protocol } from '../../../src/model/kubernetes.ts';
import type { Outcome, Packet } from '../../../src/netfilter/trace.ts';
import { trace } from '../../../src/netfilter/trace.ts';
import type { Expectation, Probe } from '../../conformance/case.ts';
import { caseFolder, expectationOf, readCase } from '../../conformance/case.ts';
import type { Standing } from '../../conformance/manifests.ts';
import { manifestObjects, standingAfter } from '../../conformance/manifests.ts';
import { configFor } from '../../support/config.ts';
import { rulesetOf } from '../../support/ruleset.ts';

const names = globSync('*.yaml', { cwd: fileURLToPath(caseFolder) })
  .map((file) => file.replace(/\.yaml$/, ''))
  .toSorted();
const [node1] = nodes;
const hostIps = [
  '127.0.0.1',
  '::1',
  ...Object.values(node1.lan),
  ...Object.values(node1.gateway),
].map((text) => parseIp(text) as Ip);

test('all cases are here', () => expect(names).toHaveLength(34));

describe.each(['nftables', 'iptables'] as const)('%s', (mode) => {
  test.each(names)('%s', async (name) => {
    const { steps } = await readCase(name);
    let standing: Standing = new Map();
    for (const step of steps) {
      standing = standingAfter(standing, step);
      const objects = manifestObjects(standing).flatMap(decoded);
      // A health check port is answered by a server of ours and not by a rule.
      for (const probe of (step.probes ?? []).filter(({ protocol }) => protocol !== 'http')) {
        const expected = expectationOf(probe, mode);
        expect({ probe, seen: answer(probe, objects, mode) }).toEqual({
          probe,
          seen: summaryOf(expected, probe),
        });
      }
    }
  });
});

type Summary = Pick<Expectation, 'result' | 'backends' | 'sources'>;

function summaryOf({ result, backends, sources }: Expectation, { to }: Probe): Summary {
  // Affinity is the kernel's memory; for a first connection all endpoints are possible. A pod that is
  // addressed itself is not found by any rule.
  const isOpen = backends === 'exactly one' || pods.some(({ address }) => ownsAddress(address, to));
  if (result !== 'ok' || isOpen) return { result };
  return { result, ...(backends && { backends }), ...(sources && { sources }) };
}

function answer(probe: Probe, objects: readonly ClusterObject[], mode: ProxyMode): Summary {
  const destination = parseIp(probe.to) as Ip;
  const family = familyOf(destination);
  const packet: Packet = {
    ...senderOf(probe.from as Host, destination),
    destination,
    protocol: probe.protocol as Protocol,
    port: probe.port,
  };
  const ruleset = rulesetOf(objects, { config: configFor(mode), family, hostIps });
  const outcomes = trace(ruleset, packet);
  const results = new Set(outcomes.map((outcome) => resultOf(outcome, packet)));
  expect(results.size).toBe(1);
  const [result] = results as Set<Expectation['result']>;
  const expected = summaryOf(expectationOf(probe, mode), probe);
  return {
    result: result as Expectation['result'],
    ...(expected.backends && { backends: namesOf(outcomes) }),
    ...(expected.sources && { sources: sourcesOf(outcomes, packet, family) }),
  };
}

function resultOf({ verdict }: Outcome, { destination, port }: Packet): Expectation['result'] {
  switch (verdict) {
    case 'forwarded':
      return 'ok';
    case 'rejected':
      return 'refused';
    case 'dropped':
      return 'timeout';
    case 'untouched':
      if (pods.some(({ address }) => ownsAddress(address, destination))) return 'ok';
      // Nothing of the lab's nodes listens but for one port; all else is routed to where nobody answers.
      if (nodes.some(({ lan }) => ownsAddress(lan, destination)))
        return port === 18080 ? 'ok' : 'refused';
      return hostIps.includes(destination) ? 'refused' : 'timeout';
  }
}

function namesOf(outcomes: readonly Outcome[]): readonly string[] {
  const hosts = [...pods, ...nodes.map(({ host, lan }) => ({ host, address: lan }))];
  return outcomes
    .map(
      ({ endpoint }) => hosts.find(({ address }) => ownsAddress(address, endpoint?.ip ?? ''))?.host,
    )
    .filter((host) => host !== undefined)
    .toSorted();
}

// A masqueraded packet gets the address of the interface that it leaves by: the bridge or the LAN.
function sourcesOf(
  outcomes: readonly Outcome[],
  packet: Packet,
  family: Family,
): readonly string[] {
  const of = ({ ipv4, ipv6 }: { ipv4: string; ipv6: string }): string =>
    family === 'IPv4' ? ipv4 : ipv6;
  const sources = outcomes.map(({ endpoint, isMasqueraded }) => {
    if (!isMasqueraded) return packet.source;
    const isHere = pods.some(
      ({ address, node }) => node === node1 && ownsAddress(address, endpoint?.ip ?? ''),
    );
    return of(isHere ? node1.gateway : node1.lan);
  });
  return [...new Set(sources)].toSorted();
}

function senderOf(host: Host, destination: Ip): Pick<Packet, 'origin' | 'interface' | 'source'> {
  const family = familyOf(destination);
  const pick = (dual: { ipv4: string; ipv6: string }): Ip =>
    parseIp(family === 'IPv4' ? dual.ipv4 : dual.ipv6) as Ip;
  const isLoopback = destination === '::1' || destination.startsWith('127.');
  if (host === 'n1') {
    const source = isLoopback ? destination : pick(node1.lan);
    return { origin: 'node', interface: '', source };
  }
  const pod = pods.find((candidate) => candidate.host === host);
  if (pod !== undefined) {
    return { origin: 'elsewhere', interface: 'cbr0', source: pick(pod.address) };
  }
  const dual = nodes.find((node) => node.host === host)?.lan ?? outside;
  return { origin: 'elsewhere', interface: 'eth0', source: pick(dual) };
}

function ownsAddress(dual: object, ip: string): boolean {
  return Object.values(dual).includes(ip);
}

function decoded(raw: unknown): readonly ClusterObject[] {
  const result = decodeObject(raw);
  return result.kind === 'object' ? [result.object] : [];
}
