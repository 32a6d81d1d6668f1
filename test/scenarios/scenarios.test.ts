// Each folder here is one behaviour from Kubernetes YAML to kernel input: what was decided, what every
// backend is told, and what becomes of packets.
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backends/backend.ts';
import type { ProxyMode } from '../../src/model/config.ts';
import { families, familyOf } from '../../src/model/ip.ts';
import type { Family, Ip } from '../../src/model/ip.ts';
import type { Unit } from '../../src/netfilter/program.ts';
import { trace } from '../../src/netfilter/trace.ts';
import { desiredOf } from '../../src/sync/offline.ts';
import { rulesetOf } from '../support/ruleset.ts';
import { outcomeText, packetOf } from '../support/packets.ts';
import { decisionTable } from './decision-table.ts';
import { explainedPackets } from './explained.ts';
import type { PacketRow, Scenario } from './scenario.ts';
import {
  iptables,
  nftJson,
  nftText,
  readScenario,
  scenarioNames,
  transactions,
} from './scenario.ts';

describe.each(scenarioNames)('%s', async (folder) => {
  const path = (file: string): string => join(import.meta.dirname, folder, file);
  const scenario = await readScenario(join(import.meta.dirname, folder));

  test('decisions', async () => {
    const config = scenario.config('nftables');
    const hostIps = (): readonly Ip[] => scenario.hostIps;
    const tables = desiredOf(nftText, scenario.objects, { config, families, hostIps });
    const text = tables
      .map(({ desired, conflicts }) => decisionTable(desired.decisions.forwarding(), conflicts))
      .join('');
    await expect(text).toMatchFileSnapshot(path('decisions.txt'));
  });

  test('explanations', async () => {
    await expect(explainedPackets(scenario)).toMatchFileSnapshot(path('explained.txt'));
  });

  test('nftables, text', async () => {
    const { IPv4, IPv6 } = goldens(nftText, scenario);
    await expect(IPv4 + IPv6).toMatchFileSnapshot(path('nftables.nft'));
  });

  test('iptables', async () => {
    const { IPv4, IPv6 } = goldens(iptables, scenario);
    await expect(IPv4).toMatchFileSnapshot(path('iptables.rules'));
    await expect(IPv6).toMatchFileSnapshot(path('ip6tables.rules'));
  });

  test.each(['nftables', 'iptables'] as const)('packets by the rules for %s', (mode) => {
    const seen = scenario.packets.map((row) => ({ ...row, answer: answerTo(row, scenario, mode) }));
    const expected = scenario.packets.map((row) => ({ ...row, answer: expectedOf(row, mode) }));
    expect(seen).toEqual(expected);
  });
});

// The other encoding of the same transactions: these three have every kind of set, map, rule and verdict, and the
// kernel commits all of them in both encodings.
test.each(['affinity', 'both-policies-local', 'source-ranges'])('%s as JSON', async (name) => {
  const folder = join(import.meta.dirname, name);
  const documents = Object.values(goldens(nftJson, await readScenario(folder)));
  await expect(documents.join('')).toMatchFileSnapshot(join(folder, 'nftables.json'));
});

function goldens<U extends Unit>(
  backend: Backend<U>,
  scenario: Scenario,
): Readonly<Record<Family, string>> {
  const { IPv4, IPv6 } = transactions(backend, scenario);
  return { IPv4: IPv4.golden, IPv6: IPv6.golden };
}

function expectedOf({ answer }: PacketRow, mode: ProxyMode): readonly string[] {
  return 'nftables' in answer ? answer[mode] : answer;
}

function answerTo(row: PacketRow, scenario: Scenario, mode: ProxyMode): readonly string[] {
  const packet = packetOf(row.from, row.to);
  const { objects, hostIps } = scenario;
  const config = scenario.config(mode);
  const ruleset = rulesetOf(objects, { config, family: familyOf(packet.destination), hostIps });
  return trace(ruleset, packet).map(outcomeText);
}
