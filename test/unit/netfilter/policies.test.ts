// Who reaches which endpoints, and whose source address is kept: every policy with every kind of
// address and client, by the rules alone.
import { describe, expect, test } from 'vitest';
import { ask, L, R, standOf } from '../../support/web-service.ts';

describe.each(['nftables', 'iptables'] as const)('%s', (mode) => {
  const eTP = { externalTrafficPolicy: 'Local' };
  const iTP = { internalTrafficPolicy: 'Local' };
  const external = ['nodePort', 'vip', 'externalIP'] as const;

  describe('both policies Cluster', () => {
    test('a pod keeps its address at the ClusterIP', () => {
      expect(ask({ mode }, 'pod', 'clusterIP')).toBe('L R');
    });
    test.each(external)('a pod is masqueraded at the %s', (target) => {
      expect(ask({ mode }, 'pod', target)).toBe('L R m');
    });
    test.each(['clusterIP', ...external] as const)(
      'the node is masqueraded at the %s',
      (target) => {
        expect(ask({ mode }, 'node', target)).toBe('L R m');
      },
    );
    test.each(['clusterIP', ...external] as const)('others are masqueraded at the %s', (target) => {
      expect(ask({ mode }, 'outside', target)).toBe('L R m');
    });
    test('localhost reaches the node port in iptables mode alone', () => {
      expect(ask({ mode }, 'localhost', 'nodePort')).toBe(
        mode === 'iptables' ? 'L R m' : 'untouched',
      );
    });
  });

  describe('externalTrafficPolicy Local', () => {
    test.each(['clusterIP', ...external] as const)('a pod reaches all at the %s', (target) => {
      expect(ask({ mode, ...standOf(eTP) }, 'pod', target)).toBe('L R');
    });
    test.each(['clusterIP', ...external] as const)(
      'the node reaches all, masqueraded, at the %s',
      (target) => expect(ask({ mode, ...standOf(eTP) }, 'node', target)).toBe('L R m'),
    );
    test('localhost reaches all at the node port in iptables mode alone', () => {
      const expected = mode === 'iptables' ? 'L R m' : 'untouched';
      expect(ask({ mode, ...standOf(eTP) }, 'localhost', 'nodePort')).toBe(expected);
    });
    test('others reach all at the ClusterIP', () => {
      expect(ask({ mode, ...standOf(eTP) }, 'outside', 'clusterIP')).toBe('L R m');
    });
    test.each(external)('others keep their address and reach what is here at the %s', (target) => {
      expect(ask({ mode, ...standOf(eTP) }, 'outside', target)).toBe('L');
    });
  });

  describe('internalTrafficPolicy Local', () => {
    test.each([
      ['pod', 'L'],
      ['node', 'L m'],
      ['outside', 'L m'],
    ] as const)('%s reaches what is here at the ClusterIP', (client, expected) => {
      expect(ask({ mode, ...standOf(iTP) }, client, 'clusterIP')).toBe(expected);
    });
    test.each(['pod', 'node', 'outside'] as const)(
      '%s reaches all at node port and VIP',
      (client) => {
        expect(external.map((target) => ask({ mode, ...standOf(iTP) }, client, target))).toEqual(
          external.map(() => 'L R m'),
        );
      },
    );
    test('one endpoint here, of several', () => {
      const three = [{ ip: L }, { ip: R }, { ip: '10.244.3.11', node: 'node-3' }];
      expect(ask({ mode, ...standOf(iTP, three) }, 'pod', 'clusterIP')).toBe('L');
    });
    test('two endpoints here', () => {
      const two = [{ ip: L }, { ip: '10.244.1.12' }, { ip: R }];
      expect(ask({ mode, ...standOf(iTP, two) }, 'pod', 'clusterIP')).toBe('L 10.244.1.12');
    });
    test('none here: dropped', () => {
      expect(ask({ mode, ...standOf(iTP, [{ ip: R }]) }, 'pod', 'clusterIP')).toBe('dropped');
    });
    test('none anywhere: refused', () => {
      expect(ask({ mode, ...standOf(iTP, []) }, 'pod', 'clusterIP')).toBe('rejected');
    });
  });

  describe('pods that cannot be told apart', () => {
    const flags = ['--cluster-cidr='];
    test.each(['node', 'outside'] as const)('%s keeps its address at the ClusterIP', (client) => {
      expect(ask({ mode, flags }, client, 'clusterIP')).toBe('L R');
    });
    test.each(external)('a pod reaches what is here at the %s of a Local Service', (target) => {
      expect(ask({ mode, ...standOf(eTP), flags }, 'pod', target)).toBe('L');
    });
    test('with masqueradeAll, all are masqueraded at the ClusterIP', () => {
      const all = { flags: [...flags, '--masquerade-all'] };
      expect(ask({ mode, ...all }, 'pod', 'clusterIP')).toBe('L R m');
      expect(ask({ mode, ...standOf(eTP), ...all }, 'pod', 'vip')).toBe('L');
    });
  });

  test('masqueradeAll masquerades pods at the ClusterIP and changes nothing else', () => {
    const flags = ['--masquerade-all'];
    expect(ask({ mode, flags }, 'pod', 'clusterIP')).toBe('L R m');
    expect(ask({ mode, ...standOf(eTP), flags }, 'pod', 'vip')).toBe('L R');
    expect(ask({ mode, ...standOf(eTP), flags }, 'outside', 'vip')).toBe('L');
  });
});
