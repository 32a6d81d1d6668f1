// Each folder here is one behaviour from Kubernetes YAML to kernel input: what was decided, what every
// backend is told, and what becomes of packets.
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { buildParts, buildService } from '../../rules/index.ts';
import { ClusterState } from '../../src/cluster/state.ts';
import type { Backend } from '../../src/backends/backend.ts';
import type { ProxyMode } from '../../src/model/config.ts';
import { hostPort } from '../../src/model/forwarding.ts';
import { families, familyOf, parseIp } from '../../src/model/ip.ts';
import type { Family, Ip } from '../../src/model/ip.ts';
import type { Protocol } from '../../src/model/kubernetes.ts';
import type { Unit } from '../../src/netfilter/program.ts';
import type { Outcome, Packet, Ruleset } from '../../src/netfilter/trace.ts';
import { trace } from '../../src/netfilter/trace.ts';
import { resolveSettings } from '../../src/resolve/settings.ts';
import { desiredOf } from '../../src/sync/offline.ts';
import { decisionTable } from './decision-table.ts';
import type { PacketRow, Scenario } from './scenario.ts';
import { iptables, nftJson, nftText, readScenario, transactions } from './scenario.ts';

const folders = globSync('*/cluster.yaml', { cwd: import.meta.dirname })
  .map((file) => file.split('/')[0] as string)
  .toSorted();

test('there are scenarios', () => expect(folders.length).toBeGreaterThan(10));

describe.each(folders)('%s', async (folder) => {
  const path = (file: string): string => join(import.meta.dirname, folder, file);
  const scenario = await readScenario(join(import.meta.dirname, folder));
  const inputs = <U extends Unit>(backend: Backend<U>): Readonly<Record<Family, string>> =>
    transactions(backend, scenario.objects, scenario.config(backend.name));

  test('decisions', async () => {
    const config = scenario.config('nftables');
    const tables = desiredOf(nftText, scenario.objects, { config, families });
    const text = tables.map(({ desired }) => decisionTable(desired.forwarding.values())).join('');
    await expect(text).toMatchFileSnapshot(path('decisions.txt'));
  });

  test('nftables, text', async () => {
    const { IPv4, IPv6 } = inputs(nftText);
    await expect(IPv4 + IPv6).toMatchFileSnapshot(path('nftables.nft'));
  });

  test('nftables, JSON', async () => {
    const documents = Object.values(inputs(nftJson)).filter((text) => text !== '');
    await expect(documents.join('')).toMatchFileSnapshot(path('nftables.json'));
  });

  test('iptables', async () => {
    const { IPv4, IPv6 } = inputs(iptables);
    await expect(IPv4).toMatchFileSnapshot(path('iptables.rules'));
    await expect(IPv6).toMatchFileSnapshot(path('ip6tables.rules'));
  });

  test.each(['nftables', 'iptables'] as const)('packets by the rules for %s', (mode) => {
    const seen = scenario.packets.map((row) => ({ ...row, answer: answerTo(row, scenario, mode) }));
    const expected = scenario.packets.map((row) => ({ ...row, answer: expectedOf(row, mode) }));
    expect(seen).toEqual(expected);
  });
});

function expectedOf({ answer }: PacketRow, mode: ProxyMode): readonly string[] {
  return 'nftables' in answer ? answer[mode] : answer;
}

function answerTo(row: PacketRow, scenario: Scenario, mode: ProxyMode): readonly string[] {
  const packet = packetOf(row);
  const ruleset = rulesetOf(scenario, mode, familyOf(packet.destination));
  return trace(ruleset, packet).map(outcomeText);
}

function rulesetOf({ objects, config }: Scenario, mode: ProxyMode, family: Family): Ruleset {
  const state = new ClusterState('node-1');
  state.apply(objects.map((object) => ({ op: 'set', object })));
  const settings = resolveSettings(config(mode), state, family);
  const [table] = desiredOf(nftText, objects, { config: config(mode), families: [family] });
  const forwarding = [...(table?.desired.forwarding.values() ?? [])];
  const services = forwarding.map((service) => buildService(service, settings));
  return { parts: buildParts(settings), services };
}

function packetOf({ from, to }: PacketRow): Packet {
  const [who, source, , byInterface] = from.split(' ') as [string, string, string?, string?];
  const [protocol, destination, port] = to.split(' ') as [Protocol, string, string];
  return {
    origin: who === 'node' ? 'node' : 'elsewhere',
    interface: byInterface ?? '',
    source: parseIp(source) as Ip,
    destination: parseIp(destination) as Ip,
    protocol,
    port: Number(port),
  };
}

function outcomeText({ verdict, endpoint, share, isMasqueraded }: Outcome): string {
  if (endpoint === undefined) return verdict;
  const where = `1/${Math.round(1 / share)} ${hostPort(endpoint.ip, endpoint.port)}`;
  return isMasqueraded ? `${where} masqueraded` : where;
}
