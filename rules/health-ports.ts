// Connections of load balancers that ask this node whether it has endpoints; only where settings ask.
import type { ServiceForwarding } from '../src/model/forwarding.ts';
import { servicePortName } from '../src/model/kubernetes.ts';
import type { DispatchEntry, Part } from '../src/model/ruleset.ts';
import type { FamilySettings } from '../src/model/settings.ts';

/** Accepts what is meant for a health check port, before a host's own INPUT rules can drop it. */
export function healthPorts({ acceptsHealthChecks }: FamilySettings): Part[] {
  if (!acceptsHealthChecks) return [];
  return [
    {
      name: 'health-ports',
      hooks: ['filter-input'],
      newConnectionsOnly: false,
      rules: [
        {
          when: [],
          then: { kind: 'dispatch', dispatch: 'health-ports', by: 'node-port' },
          why: 'kubernetes health check service ports',
        },
      ],
    },
  ];
}

/** The entry of a Service that has a health check port. */
export function healthPortEntry(
  { service, healthCheck, frontends: [first] }: ServiceForwarding,
  { acceptsHealthChecks }: FamilySettings,
): DispatchEntry[] {
  if (healthCheck === undefined || !acceptsHealthChecks) return [];
  // The port is all of the Service's; kube-proxy names it by one.
  const portName = first?.portName ?? '';
  return [
    {
      dispatch: 'health-ports',
      address: { ip: undefined, protocol: 'tcp', port: healthCheck.port },
      portName,
      to: { verdict: 'accept' },
      why: `${servicePortName(service, portName)} health check node port`,
    },
  ];
}
