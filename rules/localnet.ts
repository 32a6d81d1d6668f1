// Node ports at 127.0.0.1 need route_localnet, which would let neighbours of the node reach what listens
// on loopback: this rule, the same as the kubelet's, shuts them out.
import type { Cidr } from '../src/model/ip.ts';
import type { Part } from '../src/model/ruleset.ts';
import type { FamilySettings } from '../src/model/settings.ts';

const loopback = '127.0.0.0/8' as Cidr;

/** Drops packets to loopback addresses that come from elsewhere and belong to no connection. */
export function localnet({ localhostNodePorts }: FamilySettings): Part[] {
  if (!localhostNodePorts) return [];
  return [
    {
      name: 'localnet',
      hooks: ['filter-input', 'filter-output'],
      newConnectionsOnly: false,
      rules: [
        {
          when: [
            { kind: 'to-cidr', cidr: loopback },
            { kind: 'from-cidr', is: false, cidr: loopback },
            { kind: 'unsolicited' },
          ],
          then: { kind: 'drop' },
          why: 'block incoming localnet connections',
        },
      ],
    },
  ];
}
