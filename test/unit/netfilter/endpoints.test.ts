// What becomes of packets as endpoints come to be, end and go, by the rules alone.
import { describe, expect, test } from 'vitest';
import { answersTo, decodeAll } from '../../support/packets.ts';
import {
  ask,
  both,
  clients,
  L,
  node,
  R,
  service,
  short,
  slice,
  standOf,
  targets,
  terminating,
  unusable,
} from '../../support/web-service.ts';

describe.each(['nftables', 'iptables'] as const)('%s', (mode) => {
  const eTP = { externalTrafficPolicy: 'Local' };

  describe('nothing answers', () => {
    test.each([
      ['pod', 'clusterIP'],
      ['outside', 'externalIP'],
      ['pod', 'nodePort'],
      ['outside', 'nodePort'],
      ['pod', 'vip'],
      ['outside', 'vip'],
    ] as const)('%s at the %s of a Service without endpoints is refused', (client, target) => {
      expect(ask({ mode, ...standOf({}, []) }, client, target)).toBe('rejected');
    });
    test('a slice that is deleted leaves the Service refused', () => {
      const objects = decodeAll([node, service(eTP)]);
      expect(ask({ mode, objects }, 'pod', 'clusterIP')).toBe('rejected');
      expect(ask({ mode, objects }, 'outside', 'vip')).toBe('rejected');
    });
    test('another protocol on the same port is not of the Service', () => {
      const objects = decodeAll([node, service(), slice(both)]);
      const seen = answersTo({ mode, objects }, clients.pod, 'udp 10.96.0.10 80');
      expect(seen).toEqual([mode === 'nftables' ? 'rejected' : 'untouched']);
    });
    test('a port that only another Service has is not of this one', () => {
      const other = {
        ...service({ clusterIP: '10.96.0.11', externalIPs: [], ports: [{ port: 81 }] }, []),
        metadata: { name: 'other', namespace: 'demo' },
      };
      const objects = decodeAll([node, service(), slice(both), other]);
      const seen = answersTo({ mode, objects }, clients.pod, 'tcp 10.96.0.10 81');
      expect(seen).toEqual([mode === 'nftables' ? 'rejected' : 'untouched']);
    });
  });

  describe('endpoints that are ending', () => {
    const [L2, L3, L4] = ['10.244.1.12', '10.244.1.14', '10.244.1.15'];
    const rollout = [
      { ip: L },
      { ip: L2 },
      { ip: L3, conditions: terminating },
      { ip: L4, conditions: unusable },
      { ip: R },
    ];
    const onlyEndingHere = [
      { ip: L, conditions: terminating },
      { ip: L2, conditions: terminating },
      { ip: L3, conditions: unusable },
      { ip: R },
    ];
    const allEnding = [...onlyEndingHere.slice(0, 3), { ip: R, conditions: terminating }];
    const endingElsewhere = [
      { ip: L, conditions: unusable },
      { ip: R, conditions: terminating },
    ];
    const noneUsable = [
      { ip: L, conditions: unusable },
      { ip: R, conditions: { ready: false, serving: false } },
    ];
    test.each([
      ['ready ones are preferred', rollout, `L ${L2} R`, `L ${L2}`],
      ['ending ones stand in where no ready one is here', onlyEndingHere, 'R', `L ${L2}`],
      ['ending ones of another node are for pods alone', endingElsewhere, 'R', 'dropped'],
      ['unusable ones are no endpoints', noneUsable, 'rejected', 'rejected'],
    ] as const)('externalTrafficPolicy Local: %s', (_, endpoints, pod, outside) => {
      expect(ask({ mode, ...standOf(eTP, endpoints) }, 'pod', 'clusterIP')).toBe(pod);
      expect(ask({ mode, ...standOf(eTP, endpoints) }, 'outside', 'vip')).toBe(outside);
    });
    test.each([
      ['ready ones are preferred', rollout, `L ${L2} R`],
      ['ending ones stand in where none is ready', allEnding, `L ${L2} R`],
      ['ending ones of another node stand in too', endingElsewhere, 'R'],
      ['unusable ones are no endpoints', noneUsable, 'rejected'],
    ] as const)('Cluster: %s', (_, endpoints, expected) => {
      const masqueraded = expected === 'rejected' ? expected : `${expected} m`;
      expect(ask({ mode, ...standOf({}, endpoints) }, 'pod', 'clusterIP')).toBe(expected);
      expect(ask({ mode, ...standOf({}, endpoints) }, 'outside', 'vip')).toBe(masqueraded);
    });
  });

  test('an endpoint that reaches itself is masqueraded', () => {
    const objects = decodeAll([node, service(), slice([{ ip: L }])]);
    expect(short(answersTo({ mode, objects }, `pod ${L}`, targets.clusterIP))).toBe('L m');
  });
});
