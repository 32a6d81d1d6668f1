// Every check of `sluice doctor`, from facts to findings.
import { describe, expect, test } from 'vitest';
import { modeFound } from '../../../src/backends/checks.ts';
import { diagnose, settingNames } from '../../../src/doctor/diagnose.ts';
import type { NodeFacts } from '../../../src/host/node-facts.ts';
import { chains, ills, iptablesMode, wanted, well, withStats, withSysctl } from './facts.ts';

const install = 'apt-get install -y --no-install-recommends';
const tools = well.tools;
const cleanIptables = 'sluice cleanup --proxy-mode iptables';
const clearLegacy =
  'for t in iptables ip6tables; do $t-legacy-save | grep -v KUBE- | $t-legacy-restore; done';
const vxlan = { name: 'flannel.1', kind: 'vxlan', checksumOffload: true };
const bridge = { name: 'cni0', kind: 'bridge', checksumOffload: undefined };
const max = 'net.netfilter.nf_conntrack_max';
const reserve = 'sysctl -w net.ipv4.ip_local_reserved_ports=';

const allPaths = 'net.ipv4.conf.all.rp_filter';
const without = (name: string) =>
  new Map([...well.sysctls].filter(([setting]) => setting !== name));
const strictOn = (...names: readonly string[]) =>
  names.map((name) => [`net.ipv4.conf.${name}.rp_filter`, '1'] as const);

test('a node that is well has nothing to mend, and says what was looked at', () => {
  const ok = [
    ['permissions', 'CAP_NET_ADMIN'],
    ['kernel', '6.12.9-amd64'],
    ['node', 'v24.1.0'],
    ['nft', 'nft 1.0.6'],
    ['iptables', 'iptables 1.8.9 (nf_tables)'],
    ['rules', 'taken in nftables mode'],
    ['conntrack', 'conntrack 1.4.7'],
    ['proxies', 'sluice run, process 10'],
    ['kube-proxy nft', 'no table of kube-proxy'],
    ['iptables rules', 'none of any Service proxy'],
    ['IPVS', 'nothing of kube-proxy in IPVS mode'],
    ['forwarding', 'net.ipv4.ip_forward = 1'],
    ['forwarding', 'net.ipv6.conf.all.forwarding = 1'],
    ['FORWARD', 'lets packets pass'],
    ['rp_filter', 'net.ipv4.conf.all.rp_filter = 2'],
    ['bridges', 'no pods behind a bridge'],
    ['route_localnet', 'net.ipv4.conf.all.route_localnet = 0'],
    ['node ports', '30000-32767 are outside of net.ipv4.ip_local_port_range'],
    ['conntrack room', '100 of 262144 entries (0%)'],
    ['conntrack losses', 'none to speak of'],
    ['conntrack time', 'TCP connections are forgotten after 86400 s of silence'],
    ['vxlan', 'no VXLAN interface'],
  ];
  expect(diagnose(well, wanted)).toEqual(
    ok.map(([check, finding]) => ({ check, status: 'ok', finding })),
  );
});

test('every finding that is to be mended says how, in one line', () => {
  const ill = diagnose({ ...well, sysctls: new Map(), interfaces: [vxlan, bridge] }, wanted);
  for (const { status, fix = '' } of ill) {
    if (status === 'warn' || status === 'fail') expect(fix).toMatch(/^\S.*$/);
  }
});

describe('with nftables mode', () => {
  test.each<[what: string, facts: Partial<NodeFacts>, ills: string[]]>([
    ['no NET_ADMIN', { capabilities: 0xffn }, ['fail permissions: sudo sluice doctor']],
    [
      'no word of capabilities',
      { capabilities: undefined },
      ['unknown permissions: /proc/self/status does not tell'],
    ],
    ['an old kernel', { kernel: '5.9.0-21' }, ['fail kernel: sluice run --proxy-mode iptables']],
    ['the oldest kernel', { kernel: '5.10.0' }, []],
    ['an old Node', { node: 'v22.18.0' }, ['fail node: npm install --no-save node@24']],
    ['no nft', { tools: { ...tools, nft: undefined } }, [`fail nft: ${install} nftables`]],
    [
      'an old nft',
      { tools: { ...tools, nft: 'nftables v0.9.8 (E.D.S.)' } },
      [`fail nft: ${install} nftables`],
    ],
    [
      'an nft that cannot parse our maps',
      { tools: { ...tools, nft: 'nftables v1.0.2 (Lester Gooch)' } },
      [`fail nft: ${install} nftables`],
    ],
    [
      'rules that the kernel refuses',
      { rulesRefusal: 'no NAT' },
      ['fail rules: sluice run --proxy-mode iptables'],
    ],
    ['nft without JSON', { hasNftJson: false }, [`fail nft: ${install} nftables`]],
    ['no iptables', { tools: { ...tools, iptables: undefined } }, []],
    [
      'no conntrack',
      { tools: { ...tools, conntrack: undefined }, conntrackStats: undefined },
      [`warn conntrack: ${install} conntrack`],
    ],
    [
      'kube-proxy that runs',
      { proxies: [...well.proxies, { pid: 7, command: '/usr/bin/kube-proxy --config=x' }] },
      ['fail proxies: kubectl -n kube-system delete daemonset kube-proxy'],
    ],
    [
      'Sluice twice',
      { proxies: [...well.proxies, { pid: 77, command: 'sluice run' }] },
      ['fail proxies: kill 77'],
    ],
    [
      "kube-proxy's tables",
      { nftTables: ['ip kube-proxy', 'ip6 kube-proxy'] },
      [
        'fail kube-proxy nft: nft delete table ip kube-proxy',
        'fail kube-proxy nft: nft delete table ip6 kube-proxy',
      ],
    ],
    [
      "kube-proxy's chains",
      { iptables: [chains('nft', 'KUBE-SERVICES', 'KUBE-SVC-ABC', 'KUBE-PROXY-CANARY')] },
      [`fail iptables rules: ${cleanIptables}`],
    ],
    [
      'our chains of iptables mode',
      { iptables: [chains('legacy', 'KUBE-SERVICES', 'KUBE-SVCS-0A', 'KUBE-EXTERNAL-NODEPORTS')] },
      [`fail iptables rules: ${cleanIptables}`],
    ],
    ["the kubelet's chains alone", { iptables: [chains('nft', 'KUBE-KUBELET-CANARY')] }, []],
    [
      'iptables that cannot be read',
      { iptables: [{ variant: 'nft', family: 'IPv6', chains: undefined }] },
      ['unknown iptables rules: IPv6 rules of nft cannot be read'],
    ],
    [
      "kube-proxy's interface",
      { interfaces: [{ name: 'kube-ipvs0', kind: 'dummy', checksumOffload: undefined }] },
      ['fail IPVS: ip link delete kube-ipvs0'],
    ],
    [
      "kube-proxy's chains of IPVS mode",
      { iptables: [chains('nft', 'KUBE-LOAD-BALANCER')] },
      [
        "warn IPVS: iptables-nft-save | grep -vE 'KUBE-(LOAD-BALANCER|NODE-PORT|IPVS-FILTER|IPVS-OUT-FILTER|SOURCE-RANGES-FIREWALL)' | iptables-nft-restore",
      ],
    ],
    [
      "kube-proxy's ipsets",
      { ipsets: ['other', 'KUBE-CLUSTER-IP'] },
      ['warn IPVS: ipset list -n | grep ^KUBE- | xargs -n1 ipset destroy'],
    ],
    [
      'no forwarding',
      withSysctl('net.ipv4.ip_forward', '0'),
      ['fail forwarding: sysctl -w net.ipv4.ip_forward=1'],
    ],
    [
      'no forwarding of IPv6',
      withSysctl('net.ipv6.conf.all.forwarding', '0'),
      ['fail forwarding: sysctl -w net.ipv6.conf.all.forwarding=1'],
    ],
    [
      'no forwarding of IPv6 where there is none',
      { ...withSysctl('net.ipv6.conf.all.forwarding', '0'), hasIpv6: false },
      [],
    ],
    [
      'strict reverse paths',
      withSysctl('net.ipv4.conf.all.rp_filter', '1'),
      ['warn rp_filter: sysctl -w net.ipv4.conf.all.rp_filter=2'],
    ],
    [
      'strict reverse paths of an interface',
      { sysctls: new Map([...well.sysctls, ...strictOn('eth0'), [allPaths, '0']]) },
      [`warn rp_filter: sysctl -w ${allPaths}=2`],
    ],
    [
      'strict reverse paths that all overrule',
      { sysctls: new Map([...well.sysctls, ...strictOn('eth0')]) },
      [],
    ],
    [
      'strict reverse paths of interfaces to come, and of loopback',
      { sysctls: new Map([...well.sysctls, ...strictOn('default', 'lo'), [allPaths, '0']]) },
      [],
    ],
    [
      'a bridge of pods without br_netfilter',
      { interfaces: [bridge] },
      ['warn bridges: modprobe br_netfilter'],
    ],
    [
      'a bridge of pods that iptables does not see',
      {
        interfaces: [bridge],
        ...withSysctl('net.bridge.bridge-nf-call-iptables', '0'),
        hasIpv6: false,
      },
      ['warn bridges: sysctl -w net.bridge.bridge-nf-call-iptables=1'],
    ],
    [
      'route_localnet',
      withSysctl('net.ipv4.conf.all.route_localnet', '1'),
      ['warn route_localnet: sysctl -w net.ipv4.conf.all.route_localnet=0'],
    ],
    [
      'ports of programs among node ports',
      withSysctl('net.ipv4.ip_local_port_range', '1024\t65535'),
      [`warn node ports: ${reserve}30000-32767`],
    ],
    [
      'a full table',
      withSysctl('net.netfilter.nf_conntrack_count', '262000'),
      [`fail conntrack room: sysctl -w ${max}=524288`],
    ],
    [
      'a table that fills',
      withSysctl('net.netfilter.nf_conntrack_count', '200000'),
      [`warn conntrack room: sysctl -w ${max}=524288`],
    ],
    [
      'connections lost',
      withStats({ early_drop: 5 }),
      [`warn conntrack losses: sysctl -w ${max}=524288`],
    ],
    [
      'connections lost, and a limit that cannot be read',
      { ...withStats({ early_drop: 5 }), sysctls: without(max) },
      [`warn conntrack losses: sysctl -w ${max}=LIMIT`],
    ],
    [
      'parallel DNS requests',
      withStats({ insert_failed: 2000, drop: 2000 }),
      [expect.stringMatching(/^warn conntrack losses: kubectl .*single-request-reopen/) as never],
    ],
    [
      'invalid packets',
      withStats({ invalid: 5000 }),
      ['warn conntrack losses: sysctl -w net.netfilter.nf_conntrack_tcp_be_liberal=1'],
    ],
    [
      'short patience',
      withSysctl('net.netfilter.nf_conntrack_tcp_timeout_established', '600'),
      ['warn conntrack time: sysctl -w net.netfilter.nf_conntrack_tcp_timeout_established=86400'],
    ],
  ])('%s', (_, facts, expected) => {
    expect(ills(facts)).toEqual(expected);
  });
});

describe('with iptables mode', () => {
  const noTable = { nftTables: [] };
  const present = [chains('nft', 'KUBE-SERVICES', 'KUBE-EXTERNAL-NODEPORTS')];
  test.each<[what: string, facts: Partial<NodeFacts>, ills: string[]]>([
    ['its own rules', { ...noTable, iptables: present }, []],
    [
      'the table of nftables mode',
      { iptables: present },
      ['fail own rules: sluice cleanup --proxy-mode nftables'],
    ],
    [
      'rules in both variants',
      { ...noTable, iptables: [...present, chains('legacy', 'KUBE-SERVICES')] },
      [`fail iptables rules: ${clearLegacy}`],
    ],
    [
      "rules in both variants, where legacy is the kubelet's",
      {
        ...noTable,
        iptables: [...present, chains('legacy', 'KUBE-SERVICES', 'KUBE-IPTABLES-HINT')],
      },
      [`fail iptables rules: ${clearLegacy.replaceAll('legacy', 'nft')}`],
    ],
    ['no nft', { ...noTable, tools: { ...tools, nft: undefined } }, []],
    [
      'no iptables',
      { ...noTable, tools: { ...tools, iptables: undefined } },
      [`fail iptables: ${install} iptables`],
    ],
    [
      'a faulty iptables',
      { ...noTable, tools: { ...tools, iptables: 'iptables v1.8.2 (nf_tables)' } },
      [`fail iptables: ${install} iptables`],
    ],
    ['route_localnet', { ...noTable, ...withSysctl('net.ipv4.conf.all.route_localnet', '1') }, []],
    ['an old kernel', { ...noTable, kernel: '5.7.0' }, []],
  ])('%s', (_, facts, expected) => {
    expect(ills(facts, iptablesMode)).toEqual(expected);
  });
});

test('the mode is that of the rules that stand here', () => {
  expect(modeFound(well)).toBe('nftables');
  expect(modeFound({ ...well, nftTables: [] })).toBe(undefined);
  const iptables = [chains('nft', 'KUBE-SERVICES', 'KUBE-EXTERNAL-NODEPORTS')];
  expect(modeFound({ ...well, nftTables: [], iptables })).toBe('iptables');
});

test('the settings that are read are named once', () => {
  expect(new Set(settingNames).size).toBe(settingNames.length);
});
