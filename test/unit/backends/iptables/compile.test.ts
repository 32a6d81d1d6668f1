import { expect, test } from 'vitest';
import { buildParts } from '../../../../rules/index.ts';
import { createIptablesBackend } from '../../../../src/backends/iptables/backend.ts';
import type { ServiceUnits } from '../../../../src/backends/iptables/compile/service.ts';
import { compileService } from '../../../../src/backends/iptables/compile/service.ts';
import type { TreeName } from '../../../../src/backends/iptables/dispatch/places.ts';
import { compileFrame } from '../../../../src/backends/iptables/compile/frame.ts';
import type { NodePortAddresses, PodSource } from '../../../../src/model/settings.ts';
import { assembly, cidr, decided, ip, service, settings } from './fixture.ts';

const noTools = (): Promise<never> => Promise.reject(new Error('no tool is run here'));

function textsIn(entries: ServiceUnits['entries'], tree: TreeName): readonly string[] {
  return (entries.get(tree) ?? []).map(({ text }) => text);
}

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
  expect([...entries.keys()]).toEqual(['services by address']);
  expect(textsIn(entries, 'services by address')).toEqual([
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
  const texts = [v4, v6].flatMap(({ entries }) => textsIn(entries, 'no-endpoints by address'));
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

test.each(['IPv4', 'IPv6'] as const)(
  "the frame is kube-proxy's, its jumps in its order: %s",
  (family) => {
    const frame = compileFrame(family, buildParts(settings(family)));
    const portals = 'kubernetes externally-visible service portals';
    const hasLocalnet = family === 'IPv4';
    const localnetJumps = ['OUTPUT', 'INPUT']
      .filter(() => hasLocalnet)
      .map((chain) => [`filter -A ${chain} -j KUBE-FIREWALL`, `-A ${chain} -j KUBE-FIREWALL`]);
    const localnet = hasLocalnet
      ? [
          ['filter KUBE-FIREWALL', ''],
          [`filter ${antiMartian}`, antiMartian],
        ]
      : [];
    expect(frame.map(({ id, text }) => [id, ...text.split('\n')])).toEqual([
      ...localnetJumps,
      [
        'nat POSTROUTING KUBE-POSTROUTING',
        '-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING',
      ],
      [
        'nat PREROUTING KUBE-SERVICES',
        '-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
      ],
      [
        'nat OUTPUT KUBE-SERVICES',
        '-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
      ],
      ...['FORWARD', 'OUTPUT', 'INPUT'].map((chain) => [
        `filter ${chain} KUBE-PROXY-FIREWALL`,
        `-A ${chain} -m conntrack --ctstate NEW -m comment --comment "kubernetes load balancer firewall" -j KUBE-PROXY-FIREWALL`,
      ]),
      [
        'filter FORWARD KUBE-FORWARD',
        '-A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD',
      ],
      [
        'filter OUTPUT KUBE-SERVICES',
        '-A OUTPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
      ],
      [
        'filter FORWARD KUBE-SERVICES',
        '-A FORWARD -m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
      ],
      [
        'filter INPUT KUBE-NODEPORTS',
        '-A INPUT -m comment --comment "kubernetes health check service ports" -j KUBE-NODEPORTS',
      ],
      [
        'filter FORWARD KUBE-EXTERNAL-SERVICES',
        `-A FORWARD -m conntrack --ctstate NEW -m comment --comment "${portals}" -j KUBE-EXTERNAL-SERVICES`,
      ],
      [
        'filter INPUT KUBE-EXTERNAL-SERVICES',
        `-A INPUT -m conntrack --ctstate NEW -m comment --comment "${portals}" -j KUBE-EXTERNAL-SERVICES`,
      ],
      ...localnet,
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
    const staying = frame.filter(({ stays }) => stays).map(({ id }) => id);
    expect(staying).toEqual([...localnetJumps, ...localnet].map(([id]) => id));
  },
);

const antiMartian =
  '-A KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m comment --comment "block incoming localnet connections" -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP';

const lastRule =
  '-m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain"';

test.each<[string, NodePortAddresses, readonly string[]]>([
  [
    'all',
    { kind: 'any-local', except: undefined },
    [`${lastRule} -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS`],
  ],
  [
    'all but loopback',
    { kind: 'any-local', except: cidr('127.0.0.0/8') },
    [`! -d 127.0.0.0/8 ${lastRule} -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS`],
  ],
  [
    'two',
    { kind: 'addresses', ips: [ip('192.0.2.1'), ip('192.0.2.2')] },
    [
      `-d 192.0.2.1/32 ${lastRule} -j KUBE-NODEPORTS`,
      `-d 192.0.2.2/32 ${lastRule} -j KUBE-NODEPORTS`,
    ],
  ],
  ['none', { kind: 'addresses', ips: [] }, []],
])('node ports are looked up last, at these addresses: %s', (_, nodePorts, tail) => {
  const under = { ...settings('IPv4'), nodePorts };
  const made = createIptablesBackend(noTools).assemble(buildParts(under), under);
  const web = decided('a/b', '10.96.0.1', { local: ['10.244.1.1'], nodePort: 30080 });
  made.replace(new Map([[web.service, web]]));
  const textOf = (id: string) => made.whole().get(id)?.text.split('\n');
  expect(textOf('nat KUBE-SERVICES')).toEqual([
    expect.stringContaining('"a/b:http cluster IP"'),
    ...tail.map((rule) => `-A KUBE-SERVICES ${rule}`),
  ]);
  expect(textOf('filter KUBE-EXTERNAL-SERVICES')).toEqual([
    '-A KUBE-EXTERNAL-SERVICES -m comment --comment "refuse node ports that no endpoint answers" -m addrtype --dst-type LOCAL -j KUBE-EXTERNAL-NODEPORTS',
  ]);
});

test('a load balancer that nothing answers is refused to everybody, whatever its source ranges', () => {
  const is = {
    loadBalancerIps: [ip('203.0.113.1')],
    sourceRanges: [cidr('192.0.2.0/24')],
  };
  const { chains, entries } = compileService(decided('a/b', '10.96.0.1', { is }));
  expect(chains).toEqual([]);
  expect([...entries.keys()]).toEqual([
    'no-endpoints by address',
    'no-external-endpoints by address',
  ]);
});

test('the chains of a Service port that lost its ClusterIP are those of its other addresses', () => {
  const is = { externalIps: [ip('203.0.113.1')], externalTrafficPolicy: 'Local' as const };
  const whole = decided('a/b', '10.96.0.1', { is, local: ['10.244.1.1'], remote: ['10.244.2.1'] });
  const entries = whole.entries.filter(({ address }) => address.ip !== '10.96.0.1');
  const { chains } = compileService({ ...whole, entries });
  const texts = chains.map(({ chain, text }) => [chain.slice(0, 8), text.split('\n').length]);
  expect(texts).toEqual([
    ['KUBE-EXT', 4],
    ['KUBE-SVC', 2],
    ['KUBE-SVL', 1],
    ['KUBE-SEP', 2],
    ['KUBE-SEP', 2],
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
