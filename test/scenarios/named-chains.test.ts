// Every chain that people are told of is one that the backend programs: in the pictures of the status page and
// in the words of explain, for every scenario and both backends.
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { withPureBackend } from '../../src/backends/index.ts';
import { explanationText } from '../../src/cli/explain/text.ts';
import { pathsOf } from '../../src/explain/chain-path.ts';
import { explain } from '../../src/explain/explain.ts';
import { worldOf } from '../../src/explain/world.ts';
import type { ProxyMode } from '../../src/model/config.ts';
import type { Family, Ip } from '../../src/model/ip.ts';
import { families, familyOf } from '../../src/model/ip.ts';
import type { Unit } from '../../src/netfilter/program.ts';
import { servicePage } from '../../src/serve/page/service-page.ts';
import { desiredOf } from '../../src/sync/offline.ts';
import { packetOf } from '../support/packets.ts';
import { modes } from '../support/network-namespace.ts';
import type { Scenario } from './scenario.ts';
import { readScenario } from './scenario.ts';

const folders = globSync('*/cluster.yaml', { cwd: import.meta.dirname })
  .map((file) => file.split('/')[0] as string)
  .toSorted();

describe.each(folders)('%s', async (folder) => {
  const scenario = await readScenario(join(import.meta.dirname, folder));

  test.each(modes)('the pictures of the page, %s', (mode) => {
    for (const { pictures, programmed } of familiesOf(scenario, mode)) {
      const named = pictures.flatMap(({ chains }) => chains);
      expect(named.filter((place) => !programmed.has(place))).toEqual([]);
      // Each is entered from a hook, and leads somewhere.
      expect(pictures.filter(({ text, chains }) => chains.length < 2 && !isPassed(text))).toEqual(
        [],
      );
    }
  });

  test.each(modes)('the words of explain, %s', (mode) => {
    const programmed = new Map(
      familiesOf(scenario, mode).map((one) => [one.family, one.programmed]),
    );
    for (const { from, to } of scenario.packets) {
      const packet = packetOf(from, to);
      const family = familyOf(packet.destination);
      const { objects, hostIps } = scenario;
      const world = worldOf(objects, { config: scenario.config(mode), hostIps, family });
      const text = explanationText(explain(world, packet), { mode, paint: (_, line) => line });
      const places = [...text.matchAll(/^ +table (.*), chain (.*)$/gm)].map(
        ([, table, chain]) => `${table} ${chain}`,
      );
      const chains = new Set([...(programmed.get(family) ?? [])].map(nameOf));
      const named = text.match(/\bKUBE-[A-Za-z0-9-]+/g) ?? [];
      expect(places.filter((place) => programmed.get(family)?.has(place) !== true)).toEqual([]);
      expect(named.filter((name) => !chains.has(name))).toEqual([]);
    }
  });
});

const port = 'demo/web/tcp/http';

// Where the chains were told wrong once: session affinity, a Local load balancer, refusals in a filter hook.
test.each([
  [
    'affinity',
    'nftables',
    'client to tcp 10.96.0.10:80',
    ['nat-prerouting', 'services', `internal-AXK6CI2C-${port}`, 'endpoints-tcp-3'],
  ],
  [
    'affinity',
    'iptables',
    'client to tcp 10.96.0.10:80',
    ['PREROUTING', 'KUBE-SERVICES', 'KUBE-SVC-XRY76EGRC3BSCIIJ'],
  ],
  [
    'external-policy-local',
    'nftables',
    'client outside to tcp 192.0.2.10:80',
    [
      'nat-prerouting',
      'services',
      'KUBE-EXT-LOCAL-tcp-2-1',
      'local-endpoints-tcp-1',
    ],
  ],
  [
    'external-policy-local',
    'iptables',
    'pod, or this node to tcp 192.0.2.10:80',
    [
      'PREROUTING',
      'KUBE-SERVICES',
      'KUBE-EXT-XRY76EGRC3BSCIIJ',
      'KUBE-SVC-XRY76EGRC3BSCIIJ',
    ],
  ],
  [
    'no-endpoints',
    'nftables',
    'client to tcp 10.96.0.12:80',
    ['filter-forward', 'service-endpoints-check', 'reject-chain'],
  ],
  ['no-endpoints', 'iptables', 'client to tcp 10.96.0.12:80', ['FORWARD', 'KUBE-SERVICES']],
] as const)('%s, %s: %s', async (folder, mode, way, chains) => {
  const scenario = await readScenario(join(import.meta.dirname, folder));
  const pictures = familiesOf(scenario, mode).flatMap((family) => family.pictures);
  const [picture] = pictures.filter(({ text }) => text.startsWith(`${way}, then `));
  expect(picture?.chains.map(nameOf)).toEqual(chains);
});

type Picture = { readonly text: string; readonly chains: readonly string[] };

function familiesOf(
  { objects, hostIps, config }: Scenario,
  mode: ProxyMode,
): readonly { family: Family; pictures: readonly Picture[]; programmed: ReadonlySet<string> }[] {
  const from = { config: config(mode), families, hostIps: (): readonly Ip[] => hostIps };
  return withPureBackend(from.config, (backend) =>
    desiredOf(backend, objects, from).map(({ family, desired }) => {
      const { settings, decisions } = desired;
      const pages = [...decisions.forwarding()].map((service) =>
        String(
          servicePage(service.service, [service], (one) =>
            pathsOf(backend, one, { settings, hostIps }),
          ),
        ),
      );
      const programmed = new Set([...desired.units()].flatMap((unit) => chainsOf(unit, family)));
      return { family, pictures: pages.flatMap(picturesIn), programmed };
    }),
  );
}

function picturesIn(page: string): readonly Picture[] {
  return [...page.matchAll(/<svg class="chain".*?<\/svg>/gs)].map(([svg]) => ({
    text: /aria-label="([^"]*)"/.exec(svg)?.[1] ?? '',
    chains: [...svg.matchAll(/<title>([^<]*), chain ([^<]*)<\/title>/g)].map(
      ([, table, chain]) => `${table} ${chain}`,
    ),
  }));
}

function isPassed(text: string): boolean {
  return text.includes(', then not translated;');
}

/** A unit's chain as it is told of, `ip sluice services` or `nat KUBE-SERVICES`; also that of a hook. */
function chainsOf(unit: Unit & { readonly table?: string; readonly chain?: string }, family: Family) {
  if (unit.chain !== undefined) return [`${unit.table} ${unit.chain}`];
  const table = family === 'IPv4' ? 'ip sluice' : 'ip6 sluice';
  return unit.id.startsWith('chain ') ? [`${table} ${unit.id.slice('chain '.length)}`] : [];
}

function nameOf(place: string): string {
  return place.slice(place.lastIndexOf(' ') + 1);
}
