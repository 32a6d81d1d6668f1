import { expect, test } from 'vitest';
import { buildParts } from '../../../rules/index.ts';
import { compileFrame, compileService } from '../../../src/backends/iptables/compile.ts';
import type { PodSource } from '../../../src/model/settings.ts';
import { assembly, service, settings } from './fixture.ts';

// As iptables-save printed kube-proxy's rules for the same Services.
test('a Service has the chains of kube-proxy, rule for rule', () => {
  const { chains, entries } = compileService(
    service('conf/lbl', '10.96.10.22', {
      ports: [
        {
          endpoints: [
            ['10.244.1.11', 8080],
            ['10.244.2.11', 8080],
            ['10.244.2.12', 8080],
          ],
        },
      ],
    }),
  );
  expect(entries['no-endpoints']).toEqual([]);
  expect(entries.services.map(({ text }) => text)).toEqual([
    '-d 10.96.10.22/32 -p tcp -m comment --comment "conf/lbl:http cluster IP" -m tcp --dport 80 -j KUBE-SVC-BOJ3KUDRNTTUM2SY',
  ]);
  expect(chains.map(({ id, owner }) => [id, owner])).toEqual([
    ['nat KUBE-SVC-BOJ3KUDRNTTUM2SY', 'conf/lbl'],
    ['nat KUBE-SEP-FJXOLTMDWOOVQZJV', 'conf/lbl'],
    ['nat KUBE-SEP-AJUDA57S5RAOITBR', 'conf/lbl'],
    ['nat KUBE-SEP-MUQSFOWSFLGBCFQ2', 'conf/lbl'],
  ]);
  expect(chains[0]?.text.split('\n')).toEqual([
    '-A KUBE-SVC-BOJ3KUDRNTTUM2SY ! -s 10.244.0.0/16 -d 10.96.10.22/32 -p tcp -m comment --comment "conf/lbl:http cluster IP" -m tcp --dport 80 -j KUBE-MARK-MASQ',
    '-A KUBE-SVC-BOJ3KUDRNTTUM2SY -m comment --comment "conf/lbl:http -> 10.244.1.11:8080" -m statistic --mode random --probability 0.33333333349 -j KUBE-SEP-FJXOLTMDWOOVQZJV',
    '-A KUBE-SVC-BOJ3KUDRNTTUM2SY -m comment --comment "conf/lbl:http -> 10.244.2.11:8080" -m statistic --mode random --probability 0.50000000000 -j KUBE-SEP-AJUDA57S5RAOITBR',
    '-A KUBE-SVC-BOJ3KUDRNTTUM2SY -m comment --comment "conf/lbl:http -> 10.244.2.12:8080" -j KUBE-SEP-MUQSFOWSFLGBCFQ2',
  ]);
  expect(chains[3]?.text.split('\n')).toEqual([
    '-A KUBE-SEP-MUQSFOWSFLGBCFQ2 -s 10.244.2.12/32 -m comment --comment "conf/lbl:http" -j KUBE-MARK-MASQ',
    '-A KUBE-SEP-MUQSFOWSFLGBCFQ2 -p tcp -m comment --comment "conf/lbl:http" -m tcp -j DNAT --to-destination 10.244.2.12:8080',
  ]);
});

test('a Service port without endpoints is rejected in the filter table, in the words of its family', () => {
  const ports = [{ name: 'dns', protocol: 'udp', port: 53, endpoints: [] }] as const;
  const v4 = compileService(service('conf/empty', '10.96.10.3', { ports }));
  const v6 = compileService(service('conf/empty', 'fd00:96::3', { ports }));
  const texts = [v4, v6].flatMap(({ entries }) => entries['no-endpoints'].map(({ text }) => text));
  expect(texts).toEqual([
    '-d 10.96.10.3/32 -p udp -m comment --comment "conf/empty:dns has no endpoints" -m udp --dport 53 -j REJECT --reject-with icmp-port-unreachable',
    '-d fd00:96::3/128 -p udp -m comment --comment "conf/empty:dns has no endpoints" -m udp --dport 53 -j REJECT --reject-with icmp6-port-unreachable',
  ]);
  expect([...v4.chains, ...v6.chains]).toEqual([]);
});

test.each<[string, PodSource, string]>([
  ['interface', { kind: 'interface', name: 'cbr0' }, '! -i cbr0'],
  ['interface prefix', { kind: 'interface-prefix', prefix: 'veth' }, '! -i veth+'],
])('traffic from outside the pods by %s is marked', (_, podSource, match) => {
  const under = settings('IPv6', podSource);
  const ports = [{ protocol: 'sctp', endpoints: [['fd00:10:244::5', 80]] }] as const;
  const { chains } = compileService(service('a/b', 'fd00:96::1', { ports, under }));
  expect(chains[0]?.text.split('\n')[0]).toBe(
    `-A ${chains[0]?.chain} -d fd00:96::1/128 ${match} -p sctp -m comment --comment "a/b:http cluster IP" -m sctp --dport 80 -j KUBE-MARK-MASQ`,
  );
});

test("the frame is kube-proxy's, its jumps in the order that puts KUBE-FORWARD before KUBE-SERVICES", () => {
  const frame = compileFrame('IPv4', buildParts(settings('IPv4')));
  expect(frame.map(({ id, text }) => [id, ...text.split('\n')])).toEqual([
    [
      'filter FORWARD KUBE-SERVICES',
      '-A FORWARD -m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
    ],
    [
      'filter OUTPUT KUBE-SERVICES',
      '-A OUTPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
    ],
    [
      'filter FORWARD KUBE-FORWARD',
      '-A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD',
    ],
    [
      'nat OUTPUT KUBE-SERVICES',
      '-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
    ],
    [
      'nat PREROUTING KUBE-SERVICES',
      '-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
    ],
    [
      'nat POSTROUTING KUBE-POSTROUTING',
      '-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING',
    ],
    [
      'filter KUBE-FORWARD',
      '-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP',
      '-A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark 0x4000/0x4000 -j ACCEPT',
      '-A KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
    ],
    [
      'nat KUBE-POSTROUTING',
      '-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN',
      '-A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0',
      '-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully',
    ],
    ['nat KUBE-MARK-MASQ', '-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000'],
  ]);
});

const ports = [{ endpoints: [['10.244.1.1', 80]] }] as const;
const many = Array.from({ length: 40 }, (_, n) =>
  service(`ns/s${n}`, `10.96.${n % 3}.${n}`, { ports: n % 4 === 0 ? [{ endpoints: [] }] : ports }),
);

test('a whole program does not tell in which order its Services came', () => {
  const units = (services: typeof many) => [...assembly('IPv4', services).whole().values()];
  expect(units(many.toReversed())).toEqual(units(many));
});

test('a change gives the units that it touches, before and after, and no others', () => {
  const [first, , third] = many;
  if (first === undefined || third === undefined) throw new Error('no Services');
  const made = assembly('IPv4', many);
  const was = made.whole();
  // An address goes from one Service to another in one change.
  const heir = service('ns/heir', third.clusterIps[0] ?? '', { ports });
  const change = made.replace(
    new Map([
      [heir.service, heir],
      [third.service, undefined],
      [first.service, undefined],
    ]),
  );
  const now = made.whole();
  const rest = many.filter((rules) => rules !== first && rules !== third);
  expect(now).toEqual(assembly('IPv4', [...rest, heir]).whole());
  const merged = new Map(was);
  for (const id of change.before.keys()) merged.delete(id);
  for (const [id, unit] of change.after) merged.set(id, unit);
  expect(merged).toEqual(now);
  expect([...change.before].filter(([id, unit]) => was.get(id)?.text !== unit.text)).toEqual([]);
  expect(change.before.size + change.after.size).toBeLessThan(15);
});
