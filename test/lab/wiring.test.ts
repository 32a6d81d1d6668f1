// The lab's wiring as data: nothing is ever made in the machine's own namespace.
import { expect, test } from 'vitest';
import { hosts, type Overlay, pods } from '../../src/lab/topology.ts';
import { wiringSteps } from '../../src/lab/wiring.ts';

const overlays: readonly Overlay[] = ['host-gw', 'vxlan'];

function linesOf(overlay: Overlay): ReadonlyMap<string, readonly string[]> {
  const batches = wiringSteps(overlay, (place) => `ns-${place}`).flat();
  return new Map(batches.map(({ place, lines }) => [place, lines]));
}

test.each(overlays)('every host and the LAN are wired once (%s)', (overlay) => {
  const places = wiringSteps(overlay, (place) => `ns-${place}`)
    .flat()
    .map(({ place }) => place);
  expect(new Set(places)).toEqual(new Set([...hosts, 'lan']));
  expect(places).toHaveLength(hosts.length + 1);
});

test.each(overlays)('the far end of every pair lies in a namespace of the lab (%s)', (overlay) => {
  const pairs = [...linesOf(overlay).values()].flat().filter((line) => line.includes('type veth'));
  expect(pairs).toHaveLength(3 + pods.length);
  for (const line of pairs) expect(line).toMatch(/peer name eth0 (mtu \d+ )?netns ns-[a-z0-9]+$/);
});

test('the ports of pods are in hairpin mode', () => {
  const lines = linesOf('host-gw').get('n1') ?? [];
  const hairpins = lines.filter((line) => line.endsWith('hairpin on'));
  expect(hairpins).toEqual(
    ['p11', 'p12', 'p13'].map((pod) => `link set ${pod} type bridge_slave hairpin on`),
  );
});

test('without an overlay the other node is the next hop to its pods', () => {
  expect(linesOf('host-gw').get('n1')).toContain('route add 10.244.2.0/24 via 192.168.10.12');
});

test('inside VXLAN packets are small enough for the LAN', () => {
  const lines = linesOf('vxlan').get('n1') ?? [];
  expect(lines).toContain('route add 10.244.2.0/24 via 10.244.2.0 dev vxlan1 onlink');
  const made = lines.filter((line) => line.startsWith('link add'));
  for (const line of made) expect(line).toContain('mtu 1450');
});
