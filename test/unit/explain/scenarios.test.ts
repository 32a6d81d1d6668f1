// Every packet of every scenario: what explain answers is what the scenario says becomes of it, by the rules
// of both backends as they are spelled, and as was decided.
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { explain } from '../../../src/explain/explain.ts';
import type { End } from '../../../src/explain/explanation.ts';
import type { World } from '../../../src/explain/world.ts';
import { worldOf } from '../../../src/explain/world.ts';
import { hostPort } from '../../../src/model/forwarding.ts';
import { families, familyOf } from '../../../src/model/ip.ts';
import { packetOf } from '../../support/packets.ts';
import { readScenario } from '../../scenarios/scenario.ts';

const root = join(import.meta.dirname, '../../scenarios');
const folders = globSync('*/packets.yaml', { cwd: root }).map(
  (file) => file.split('/')[0] as string,
);

test('there are scenarios', () => expect(folders.length).toBe(54));

describe.each(folders.toSorted())('%s', async (folder) => {
  const { objects, hostIps, packets, config } = await readScenario(join(root, folder));

  test.each(['nftables', 'iptables'] as const)('%s', (mode) => {
    const inputs = { config: config(mode), hostIps };
    const worlds = new Map(
      families.map((family) => [family, worldOf(objects, { ...inputs, family })]),
    );
    for (const { from, to, answer } of packets) {
      const packet = packetOf(from, to);
      const { ends, decided, rules } = explain(
        worlds.get(familyOf(packet.destination)) as World,
        packet,
      );
      const expected = 'nftables' in answer ? answer[mode] : answer;
      expect([from, to, ends.map(endText)]).toEqual([from, to, [...expected].toSorted(byAddress)]);
      expect(decided).toBeUndefined();
      // What was forwarded or stopped met at least the rule that did it.
      expect(rules.length > 0 || expected.includes('untouched')).toBe(true);
    }
  });
});

function endText({ verdict, endpoint, share, after }: End): string {
  if (endpoint === undefined) return verdict;
  const where = `1/${Math.round(1 / share)} ${hostPort(endpoint.ip, endpoint.port)}`;
  if (verdict !== 'forwarded') return `${where} ${verdict}`;
  return after?.source === 'node' ? `${where} masqueraded` : where;
}

// Ends are sorted by endpoint, and the scenarios' answers by the order of the pool.
function byAddress(left: string, right: string): number {
  return left.slice(left.indexOf(' ')) < right.slice(right.indexOf(' ')) ? -1 : 1;
}
