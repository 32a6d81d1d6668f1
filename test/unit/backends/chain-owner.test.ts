// Whose chain it is, by names alone: ours are those that the backend in use gives, and no others that begin alike.
import { expect, test } from 'vitest';
import { chainOwner } from '../../../src/backends/chain-owner.ts';
import {
  branchChainName,
  endpointChainName,
  fixedChains,
  serviceChainName,
} from '../../../src/backends/iptables/names.ts';
import type { Ip } from '../../../src/model/ip.ts';
import type { ServiceKey } from '../../../src/model/kubernetes.ts';

const port = { service: 'web/shop' as ServiceKey, portName: 'http', protocol: 'tcp' } as const;
const endpoint = { ip: '10.0.0.1' as Ip, port: 80, isLocal: true };

test.each([
  fixedChains.services,
  fixedChains.nodePorts,
  serviceChainName('KUBE-SVC', port),
  serviceChainName('KUBE-FW', port),
  endpointChainName(port, endpoint),
  branchChainName('KUBE-SVCS', '0a60'),
  branchChainName('KUBE-SVCS', 'fd000096000000000000'),
])("%s is ours in iptables mode, and kube-proxy's in nftables mode", (chain) => {
  const place = { family: 'ip', table: 'nat', chain };
  expect(chainOwner('iptables', place)).toBe('Sluice');
  expect(chainOwner('nftables', place)).toBe('kube-proxy');
});

test.each([
  ['ip filter KUBE-FIREWALL', 'kubelet'],
  ['ip nat KUBE-MARK-DROP', 'kubelet'],
  ['ip6 mangle KUBE-KUBELET-CANARY', 'kubelet'],
  ['ip filter KUBE-POD-FW-XXRIZ3VIC2LXKRLA', 'kube-router'],
  ['ip filter KUBE-NWPLCY-DEFAULT', 'kube-router'],
  ['ip filter KUBE-ROUTER-OUTPUT', 'kube-router'],
  ['ip kube-proxy services', 'kube-proxy'],
  ['ip nat KUBE-LOAD-BALANCER', 'kube-proxy'],
  ['ip sluice services', 'Sluice'],
  ['inet sluice services', undefined],
  ['inet nat KUBE-SERVICES', undefined],
  ['ip nat KUBE-SVC-SHORT', undefined],
  ['ip nat KUBE-SOMEBODY', undefined],
  ['ip filter INPUT', undefined],
] as const)('%s: %s', (place, owner) => {
  const [family = '', table = '', chain = ''] = place.split(' ');
  expect(chainOwner('nftables', { family, table, chain })).toBe(owner);
  expect(chainOwner('iptables', { family, table, chain })).toBe(owner);
});
