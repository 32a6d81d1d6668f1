// The node's own addresses and its first family, by kube-proxy's rules for the Node and bindAddress.
import { describe, expect, test } from 'vitest';
import { nodeIpsOf } from '../../../src/resolve/node-ips.ts';
import { resolveNodePortAddresses } from '../../../src/resolve/node-port-addresses.ts';
import { resolveSettings } from '../../../src/resolve/settings.ts';
import type { Family, Ip } from '../../../src/model/ip.ts';
import { configFor } from '../../support/config.ts';

const v4 = '192.168.1.5' as Ip;
const v6 = 'fd00:1::5' as Ip;

type Row = [
  what: string,
  bind: string,
  node: readonly string[] | undefined,
  primary: Family,
  ips: readonly [string, string],
];

describe('the addresses of the node', () => {
  test.each<Row>([
    ['bind 10.0.0.1, no node', '10.0.0.1', undefined, 'IPv4', ['10.0.0.1', '::1']],
    [
      'bind fd00:4321::2, no node',
      'fd00:4321::2',
      undefined,
      'IPv6',
      ['127.0.0.1', 'fd00:4321::2'],
    ],
    ['bind 0.0.0.0, no node', '0.0.0.0', undefined, 'IPv4', ['127.0.0.1', '::1']],
    ['bind ::, no node', '::', undefined, 'IPv4', ['127.0.0.1', '::1']],
    ['bind 0.0.0.0, a node without addresses', '0.0.0.0', [], 'IPv4', ['127.0.0.1', '::1']],
    ['bind 0.0.0.0, node of IPv4', '0.0.0.0', [v4], 'IPv4', [v4, '::1']],
    ['bind ::, node of IPv4', '::', [v4], 'IPv4', [v4, '::1']],
    ['bind 0.0.0.0, node of IPv6', '0.0.0.0', [v6], 'IPv6', ['127.0.0.1', v6]],
    ['bind ::, node of IPv6', '::', [v6], 'IPv6', ['127.0.0.1', v6]],
    ['bind ::, node of both', '::', [v4, v6], 'IPv4', [v4, v6]],
    ['bind 0.0.0.0, node of both, IPv6 first', '0.0.0.0', [v6, v4], 'IPv6', [v4, v6]],
    ['bind fd00:9::9, node of both, IPv4 first', 'fd00:9::9', [v4, v6], 'IPv6', [v4, 'fd00:9::9']],
    ['bind 10.9.9.9, node of both, IPv6 first', '10.9.9.9', [v6, v4], 'IPv4', ['10.9.9.9', v6]],
    ['bind 127.0.0.1, node of both, IPv6 first', '127.0.0.1', [v6, v4], 'IPv4', ['127.0.0.1', v6]],
    ['bind ::1, node of both, IPv4 first', '::1', [v4, v6], 'IPv6', [v4, '::1']],
  ])('%s', (_, bind, node, primary, [IPv4, IPv6]) => {
    const ips = node && { ips: node as readonly Ip[] };
    expect(nodeIpsOf({ bindAddress: bind as Ip }, ips)).toEqual({ primary, ips: { IPv4, IPv6 } });
  });
});

describe('bindAddress', () => {
  const flags = ['--bind-address', '10.0.0.1', '--nodeport-addresses', 'primary'];
  const hostIps = ['10.0.0.1' as Ip, v4, v6];
  const node = {
    name: 'node-1',
    podCidrs: [],
    ips: [v4, v6],
    zone: '',
    isEligible: true,
  };

  test('is where node ports answer, in place of the Node’s address of its family', () => {
    const config = configFor('nftables', flags);
    const around = { node, hostIps, serviceCidrs: [] };
    expect(resolveSettings(config, around, 'IPv4').nodePorts).toEqual({
      kind: 'addresses',
      ips: ['10.0.0.1'],
    });
    expect(resolveSettings(config, around, 'IPv6').nodePorts).toEqual({
      kind: 'addresses',
      ips: [v6],
    });
  });

  test('of loopback is no address for node ports', () => {
    const config = configFor('nftables', ['--nodeport-addresses', 'primary']);
    const { ips } = nodeIpsOf({ bindAddress: '127.0.0.1' as Ip }, node);
    const addresses = { nodeIps: Object.values(ips), hostIps };
    // No range is left of the family, which means all addresses, as in kube-proxy.
    expect(resolveNodePortAddresses(config, addresses, 'IPv4')).toEqual({
      kind: 'any-local',
      except: '127.0.0.0/8',
    });
    expect(resolveNodePortAddresses(config, addresses, 'IPv6')).toEqual({
      kind: 'addresses',
      ips: [v6],
    });
  });
});
