// Addresses that belong to Services but mean nothing on this port, or to no Service at all.
import type { Part, PartRule } from '../src/model/ruleset.ts';
import type { FamilySettings } from '../src/model/settings.ts';

/** Refuses unused ports of ClusterIPs and drops unused addresses of the ServiceCIDRs. */
export function clusterIps({
  guardsClusterIps,
  serviceCidrs,
}: FamilySettings): Part<'cluster-ips'>[] {
  if (!guardsClusterIps) return [];
  const unallocated = serviceCidrs.map((cidr): PartRule<'cluster-ips'> => ({
    when: [{ kind: 'to-cidr', cidr }],
    then: { kind: 'drop' },
    why: 'drop traffic to unallocated ClusterIPs',
  }));
  const unusedPort: PartRule<'cluster-ips'> = {
    when: [{ kind: 'to-cluster-ip' }],
    then: { kind: 'reject' },
    why: 'reject traffic to unused ports of ClusterIPs',
  };
  return [
    {
      name: 'cluster-ips',
      hooks: ['filter-forward', 'filter-output'],
      newConnectionsOnly: true,
      rules: [unusedPort, ...unallocated],
    },
  ];
}
