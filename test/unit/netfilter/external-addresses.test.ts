// Load balancers and node ports: who may use them, and at which addresses, by the rules alone.
import { describe, expect, test } from 'vitest';
import { answersTo, decodeAll } from '../../support/packets.ts';
import { both, clients, node, service, short, slice, targets } from '../../support/web-service.ts';

describe.each(['nftables', 'iptables'] as const)('%s', (mode) => {
  describe('loadBalancerSourceRanges', () => {
    const loadBalancerSourceRanges = ['192.168.10.0/28', ' 203.0.113.0/25'];
    const ingress = [{ ip: '192.0.2.10' }, { ip: '192.0.2.11' }];
    const objects = decodeAll([node, service({ loadBalancerSourceRanges }, ingress), slice(both)]);
    const from = (client: string, to: string): string =>
      short(answersTo({ mode, objects }, client, to));
    const vips = ['tcp 192.0.2.10 80', 'tcp 192.0.2.11 80'];
    test('a client in a range is let in at each VIP', () => {
      expect(vips.map((vip) => from('outside 203.0.113.2', vip))).toEqual(['L R m', 'L R m']);
    });
    test('a client in no range is dropped at each VIP', () => {
      expect(vips.map((vip) => from('outside 203.0.113.130', vip))).toEqual(['dropped', 'dropped']);
    });
    test('a pod in no range is dropped at each VIP', () => {
      expect(vips.map((vip) => from(clients.pod, vip))).toEqual(['dropped', 'dropped']);
    });
    test('the node in a range is let in at each VIP', () => {
      expect(vips.map((vip) => from(clients.node, vip))).toEqual(['L R m', 'L R m']);
    });
    test('a VIP as the source is let in where the node is in a range', () => {
      expect(from('node 192.0.2.10', 'tcp 192.0.2.10 80')).toBe('L R m');
    });
    test('node ports are open to those in no range', () => {
      expect(from('outside 203.0.113.130', targets.nodePort)).toBe('L R m');
    });
  });

  describe('node port addresses', () => {
    const alt = '192.168.11.11';
    const at = (flags: readonly string[], client: string, ip: string): string => {
      const stand = {
        mode,
        flags,
        moreHostIps: [alt],
        objects: decodeAll([node, service(), slice(both)]),
      };
      return short(answersTo(stand, client, `tcp ${ip} 30080`));
    };
    test('by default: the primary address in nftables mode, every one in iptables mode', () => {
      expect(at([], clients.outside, '192.168.10.11')).toBe('L R m');
      expect(at([], clients.outside, alt)).toBe(mode === 'nftables' ? 'untouched' : 'L R m');
    });
    test('ranges open the addresses in them', () => {
      const flags = ['--nodeport-addresses=192.168.10.0/24,192.168.11.0/24,2001:db8::/64'];
      expect(at(flags, clients.outside, alt)).toBe('L R m');
      expect(at(flags, clients.localhost, '127.0.0.1')).toBe('untouched');
    });
    test('localhost node ports can be switched off', () => {
      const flags = ['--iptables-localhost-nodeports=false', '--nodeport-addresses=0.0.0.0/0'];
      expect(at(flags, clients.localhost, '127.0.0.1')).toBe('untouched');
      expect(at(flags, clients.outside, alt)).toBe('L R m');
    });
    test('a loopback range without localhost node ports opens nothing at localhost', () => {
      const flags = [
        '--iptables-localhost-nodeports=false',
        '--nodeport-addresses=192.168.10.0/24,127.0.0.1/32',
      ];
      expect(at(flags, clients.localhost, '127.0.0.1')).toBe('untouched');
      expect(at(flags, clients.outside, alt)).toBe('untouched');
    });
  });

  test('ipMode: Proxy makes no VIP, VIP and none do', () => {
    const ingress = [
      { ip: '192.0.2.10', ipMode: 'Proxy' },
      { ip: '192.0.2.11', ipMode: 'VIP' },
      { ip: '192.0.2.12' },
    ];
    const objects = decodeAll([node, service({}, ingress), slice(both)]);
    const at = (ip: string): string =>
      short(answersTo({ mode, objects }, clients.outside, `tcp ${ip} 80`));
    expect(ingress.map(({ ip }) => at(ip))).toEqual(['untouched', 'L R m', 'L R m']);
  });
});
