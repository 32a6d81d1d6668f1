// The lab's wiring as data: nothing is ever made in the machine's own namespace.
import { expect, test } from 'vitest';
import { hosts, type Outside, type Overlay, overlays } from '../../src/lab/topology.ts';
import { type Batch, wiringSteps } from '../../src/lab/wiring.ts';

function batchesOf(overlay: Overlay): readonly Batch[] {
  const namespaceOf = (place: string): string => `ns-${place}`;
  return wiringSteps({ overlay, outside: 'routed', namespaceOf }).flat();
}

function linesOf(overlay: Overlay): ReadonlyMap<string, readonly string[]> {
  return new Map(batchesOf(overlay).map(({ place, lines }) => [place, lines]));
}

test.each(overlays)('every host and the LAN are wired once (%s)', (overlay) => {
  const places = batchesOf(overlay).map(({ place }) => place);
  expect(new Set(places)).toEqual(new Set([...hosts, 'lan']));
  expect(places).toHaveLength(hosts.length + 1);
});

test.each(overlays)('the eth0 of every host is made in its namespace (%s)', (overlay) => {
  const made = [...linesOf(overlay).values()].flat().filter((line) => line.includes('netns'));
  const places = made.map((line) => / netns ns-([a-z0-9]+)/.exec(line)?.[1]);
  expect(new Set(places)).toEqual(new Set(hosts));
  expect(places).toHaveLength(hosts.length);
  for (const line of made) expect(line).toContain('eth0');
});

test('the ports of pods are in hairpin mode', () => {
  const lines = linesOf('host-gw').get('n1') ?? [];
  const hairpins = lines.filter((line) => line.endsWith('hairpin on'));
  expect(hairpins).toEqual(
    ['p11', 'p12', 'p13'].map((pod) => `link set ${pod} type bridge_slave hairpin on`),
  );
});

test.each<[Overlay, route: string]>([
  ['host-gw', 'route add 10.244.2.0/24 via 192.168.10.12'],
  ['vxlan', 'route add 10.244.2.0/24 via 10.244.2.0 dev vxlan1 onlink'],
  ['udp', 'route add 10.244.2.0/24 dev udp1'],
  ['macvlan', 'route add 10.244.2.0/24 via 192.168.10.12'],
])('the way to the pods of the other node (%s)', (overlay, route) => {
  expect(linesOf(overlay).get('n1')).toContain(route);
});

test.each([
  ['vxlan', 1450],
  ['udp', 1472],
] as const)('inside a tunnel packets are small enough for the LAN (%s)', (overlay, mtu) => {
  const lines = linesOf(overlay).get('n1') ?? [];
  const made = lines.filter((line) => line.startsWith('link add'));
  for (const line of made) expect(line).toContain(`mtu ${mtu} `);
  expect(lines.some((line) => new RegExp(`${overlay}1 mtu ${mtu}`).test(line))).toBe(true);
});

test('where pods are masqueraded, nobody outside has routes to them', () => {
  const namespaceOf = (place: string): string => place;
  const lines = (outside: Outside): readonly string[] =>
    wiringSteps({ overlay: 'host-gw', outside, namespaceOf })
      .flat()
      .filter(({ place }) => place === 'ext')
      .flatMap((batch) => batch.lines)
      .filter((line) => /10\.244|fd00:244/.test(line));
  expect(lines('routed')).toHaveLength(4);
  expect(lines('masqueraded')).toEqual([]);
});
