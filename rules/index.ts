// The rule book in the order in which it applies to a packet: one behaviour a file. Pure functions of
// what was decided (model/forwarding) and of the node's settings; no backend is known here.
import type { ServiceForwarding } from '../src/model/forwarding.ts';
import type { Part, ServiceRules } from '../src/model/ruleset.ts';
import type { FamilySettings } from '../src/model/settings.ts';
import { clusterIps } from './cluster-ips.ts';
import { dispatchEntries } from './dispatch.ts';
import { forward } from './forward.ts';
import { healthPortEntry, healthPorts } from './health-ports.ts';
import { localnet } from './localnet.ts';
import { masquerading } from './masquerade.ts';
import { noEndpoints, services } from './skeleton.ts';
import { sourceRanges } from './source-ranges.ts';

/** What every packet may meet, however many Services there are. */
export function buildParts(settings: FamilySettings): readonly Part[] {
  return [
    sourceRanges,
    services(settings),
    ...localnet(settings),
    ...healthPorts(settings),
    ...noEndpoints(settings),
    ...clusterIps(settings),
    ...forward(settings),
    masquerading(settings),
  ];
}

/** What one Service adds. */
export function buildService(
  forwarding: ServiceForwarding,
  settings: FamilySettings,
): ServiceRules {
  const { service, family, frontends } = forwarding;
  return {
    service,
    family,
    entries: [
      ...frontends.flatMap((frontend) => dispatchEntries(frontend, settings)),
      ...healthPortEntry(forwarding, settings),
    ],
    clusterIps: [
      ...new Set(
        frontends.flatMap(({ kind, address: { ip } }) =>
          kind === 'ClusterIP' && ip !== undefined ? [ip] : [],
        ),
      ),
    ],
  };
}
