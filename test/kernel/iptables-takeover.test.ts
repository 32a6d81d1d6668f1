// A node that kube-proxy's iptables mode has programmed, taken over and cleaned up, in real kernels.
import { describe, expect, test } from 'vitest';
import type { IptablesUnit } from '../../src/backends/iptables/unit.ts';
import { plan } from '../../src/netfilter/plan.ts';
import { desiredOf } from '../../src/sync/offline.ts';
import { configFor } from '../support/config.ts';
import { machine, ownUnits } from '../support/iptables-machine.ts';
import { variants } from '../support/one-variant.ts';
import { assembly, service } from '../unit/backends/iptables/fixture.ts';
import { objectsThen, savedThen } from '../unit/backends/iptables/kube-proxy-node.ts';

const nothing = new Map<string, IptablesUnit>();
const web = service('ns/web', '10.96.0.1', { ports: [{ endpoints: [['10.244.1.1', 80]] }] });

describe.each(variants)('%s', (variant) => {
  test("kube-proxy's chains give way, the kubelet's and the user's rules stay", async () => {
    const { exec, backend } = await machine(variant);
    await exec('iptables-restore', ['--noflush'], { input: kubeProxyNode });
    const made = assembly('IPv4', [web]);
    await backend.apply('IPv4', plan(await backend.observe('IPv4'), made.whole()));
    const then = await backend.observe('IPv4');
    expect(ownUnits(then)).toEqual(ownUnits(made.whole()));
    expect(plan(then, made.whole())).toEqual([]);
    await backend.apply('IPv4', plan(made.whole(), nothing));
    const { stdout } = await exec('iptables-save', []);
    const left = stdout.split('\n').filter((line) => /^:(KUBE|MY)|^-A/.test(line));
    expect(left.map((line) => line.replace(/\[.*\]/, '')).toSorted()).toEqual([
      '-A INPUT -j KUBE-FIREWALL',
      '-A KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 -j DROP',
      // Ours, and the same as a newer kubelet's.
      '-A KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m comment --comment "block incoming localnet connections" -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP',
      '-A OUTPUT -j KUBE-FIREWALL',
      '-A POSTROUTING -s 10.244.0.0/16 -j MASQUERADE',
      ':KUBE-FIREWALL - ',
      ':KUBE-KUBELET-CANARY - ',
      ':MY-CHAIN - ',
    ]);
  });

  test('a node of kube-proxy is taken over in place: only look-ups are written', async () => {
    const { exec, backend } = await machine(variant);
    await exec('iptables-restore', ['--noflush'], { input: savedThen('IPv4') });
    const from = {
      config: configFor('iptables'),
      families: ['IPv4'] as const,
      hostIps: () => [],
    };
    const [{ desired } = { desired: undefined }] = desiredOf(backend, objectsThen(), from);
    if (desired === undefined) throw new Error('no IPv4');
    const steps = plan(await backend.observe('IPv4'), desired.whole());
    const written = steps.map((step) => (step.op === 'delete' ? step.was : step.unit).id);
    const lookUps =
      /^(nat|filter|mangle) (SLUICE-CANARY|KUBE-((EXTERNAL-)?(SERVICES|NODEPORTS)|PROXY-FIREWALL|PROXY-CANARY|(SVCS|NPS|EXTS|ENPS|FWS)-.+))$/;
    expect(written.filter((id) => !lookUps.test(id))).toEqual([]);
    await backend.apply('IPv4', steps);
    const then = await backend.observe('IPv4');
    expect(ownUnits(then)).toEqual(ownUnits(desired.whole()));
    expect(plan(then, desired.whole())).toEqual([]);
  });

  // Above 1,000 endpoints kube-proxy leaves comments out: every chain of a Service is another one.
  test('a large node is taken over, though each of its chains changes', async () => {
    const { exec, backend } = await machine(variant);
    const services = Array.from({ length: 300 }, (_, n) => {
      const endpoints = [1, 2, 3, 4].map((last): [string, number] => {
        return [`10.244.${n >> 4}.${(n & 15) * 16 + last}`, 80];
      });
      return service(`ns/web-${n}`, `10.96.${n >> 4}.${(n & 15) + 1}`, { ports: [{ endpoints }] });
    });
    const made = assembly('IPv4', services).whole();
    await backend.apply('IPv4', plan(nothing, withoutComments(made)));
    const before = await backend.observe('IPv4');
    const steps = plan(before, made);
    expect(steps.filter(({ op }) => op === 'replace').length).toBeGreaterThan(1200);
    await backend.apply('IPv4', steps);
    expect(plan(await backend.observe('IPv4'), made)).toEqual([]);
    expect((await exec('iptables-save', [])).stdout).not.toMatch(/^-A KUBE-SEP-\S+ -s \S+ -j/m);
  });
});

function withoutComments(program: ReadonlyMap<string, IptablesUnit>): typeof program {
  const isOfService = /^KUBE-(SVC|SEP)-/;
  const bare = ({ text, ...unit }: IptablesUnit): IptablesUnit => ({
    ...unit,
    text: isOfService.test(unit.chain)
      ? text.replaceAll(/-m comment --comment "[^"]*" /g, '')
      : text,
  });
  return new Map([...program].map(([id, unit]) => [id, bare(unit)]));
}

// As a kubelet and kube-proxy leave a node, with a rule of the user's.
const kubeProxyNode = `*filter
:KUBE-FIREWALL - [0:0]
:KUBE-SERVICES - [0:0]
:KUBE-EXTERNAL-SERVICES - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-FORWARD - [0:0]
:KUBE-PROXY-FIREWALL - [0:0]
-A INPUT -j KUBE-FIREWALL
-A INPUT -m comment --comment "kubernetes health check service ports" -j KUBE-NODEPORTS
-A INPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes externally-visible service portals" -j KUBE-EXTERNAL-SERVICES
-A FORWARD -m conntrack --ctstate NEW -m comment --comment "kubernetes load balancer firewall" -j KUBE-PROXY-FIREWALL
-A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD
-A FORWARD -m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A FORWARD -m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A KUBE-FIREWALL -d 127.0.0.0/8 ! -s 127.0.0.0/8 -j DROP
-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
COMMIT
*nat
:KUBE-KUBELET-CANARY - [0:0]
:KUBE-PROXY-CANARY - [0:0]
:MY-CHAIN - [0:0]
:KUBE-SERVICES - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-POSTROUTING - [0:0]
:KUBE-MARK-MASQ - [0:0]
:KUBE-EXT-XPGD46QRK7WJZT7O - [0:0]
:KUBE-SVC-XPGD46QRK7WJZT7O - [0:0]
:KUBE-SEP-SXIVWICOYRO3J4NJ - [0:0]
-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING
-A POSTROUTING -s 10.244.0.0/16 -j MASQUERADE
-A KUBE-SERVICES -m comment --comment "ns1/svc1:p80 cluster IP" -m tcp -p tcp -d 10.96.0.1 --dport 80 -j KUBE-SVC-XPGD46QRK7WJZT7O
-A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
-A KUBE-NODEPORTS -m comment --comment ns1/svc1:p80 -m tcp -p tcp --dport 30080 -j KUBE-EXT-XPGD46QRK7WJZT7O
-A KUBE-EXT-XPGD46QRK7WJZT7O -j KUBE-SVC-XPGD46QRK7WJZT7O
-A KUBE-SVC-XPGD46QRK7WJZT7O -m comment --comment "ns1/svc1:p80 -> 10.180.0.1:80" -j KUBE-SEP-SXIVWICOYRO3J4NJ
-A KUBE-SEP-SXIVWICOYRO3J4NJ -m comment --comment ns1/svc1:p80 -s 10.180.0.1 -j KUBE-MARK-MASQ
-A KUBE-SEP-SXIVWICOYRO3J4NJ -m comment --comment ns1/svc1:p80 -m tcp -p tcp -j DNAT --to-destination 10.180.0.1:80
COMMIT
`;
