// What explain answers, as text: each decision with its kind, object, field and value, each endpoint with its share.
import { decisionText } from '../../src/cli/explain/words.ts';
import { percent } from '../../src/cli/explain/text.ts';
import { explain } from '../../src/explain/explain.ts';
import { worldOf } from '../../src/explain/world.ts';
import { hostPort } from '../../src/model/forwarding.ts';
import type { ProxyMode } from '../../src/model/config.ts';
import { familyOf } from '../../src/model/ip.ts';
import { packetOf } from '../support/packets.ts';
import type { PacketRow, Scenario } from './scenario.ts';

const modes = ['nftables', 'iptables'] as const satisfies readonly ProxyMode[];

/** The answers to all packets of a scenario, in each mode where the modes differ. */
export function explainedPackets(scenario: Scenario): string {
  return scenario.packets.map((row) => explainedPacket(row, scenario)).join('\n');
}

function explainedPacket(row: PacketRow, scenario: Scenario): string {
  const [nftables, iptables] = modes.map((mode) => explainedIn(mode, row, scenario));
  const answers =
    nftables === iptables ? nftables : `  nftables:\n${nftables}  iptables:\n${iptables}`;
  return `${row.from} to ${row.to}\n${answers}`;
}

function explainedIn(mode: ProxyMode, row: PacketRow, { objects, hostIps, config }: Scenario) {
  const packet = packetOf(row.from, row.to);
  const inputs = { config: config(mode), hostIps, family: familyOf(packet.destination) };
  const { decisions, pool, verdict } = explain(worldOf(objects, inputs), packet);
  const lines = [
    ...decisions.map((decision) => `${decision.kind}: ${decisionText(decision)}`),
    ...(pool?.members ?? []).map(({ ip, port, share }) => `${percent(share)} ${hostPort(ip, port)}`),
    verdict,
  ];
  return lines.map((line) => `    ${line}\n`).join('');
}
