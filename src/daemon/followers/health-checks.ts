// Keeps the servers at healthCheckNodePort in step with what the Services of a family mean.
import type { Logger } from 'pino';
import type { ClusterEvent, RecordEvent } from '../../model/cluster-event.ts';
import type { Config } from '../../model/config.ts';
import type { HealthCheck } from '../../model/forwarding.ts';
import type { Family } from '../../model/ip.ts';
import { cidrContains, familyOf } from '../../model/ip.ts';
import type { ServiceKey } from '../../model/kubernetes.ts';
import type { NodeAddresses } from '../../resolve/node-port-addresses.ts';
import { nodePortCidrs } from '../../resolve/node-port-addresses.ts';
import type { Settled } from '../../sync/update.ts';

/** The servers of one family: serve/health-check-node-ports has them. */
export interface HealthCheckServers {
  update(update: {
    readonly checks: ReadonlyMap<ServiceKey, HealthCheck | undefined>;
    readonly addresses: readonly string[];
  }): Promise<readonly { service: ServiceKey; port: number; error: Error }[]>;
}

/** What HealthChecks works with. */
export type HealthChecksOptions = {
  readonly servers: ReadonlyMap<Family, HealthCheckServers>;
  /** The addresses that take a family's node ports, now. */
  readonly addresses: (family: Family) => readonly string[];
  readonly log: Logger;
  readonly record: RecordEvent;
};

/** Invariant: #complaints holds what was last said of each port that cannot be opened. */
export class HealthChecks {
  readonly #options: HealthChecksOptions;
  readonly #complaints = new Map<Family, ReadonlySet<string>>();

  constructor(options: HealthChecksOptions) {
    this.#options = options;
  }

  /** Whether a port waits to be opened. */
  get hasFailed(): boolean {
    return [...this.#complaints.values()].some((complaints) => complaints.size > 0);
  }

  /** Takes over what changed, and tries again to open what could not be opened. */
  async update(family: Family, { before, after }: Settled): Promise<void> {
    const { servers, addresses, log, record } = this.#options;
    const checks = new Map<ServiceKey, HealthCheck | undefined>();
    for (const { service, healthCheck } of before) {
      if (healthCheck !== undefined) checks.set(service, undefined);
    }
    for (const { service, healthCheck } of after) {
      if (healthCheck !== undefined) checks.set(service, healthCheck);
    }
    const update = { checks, addresses: addresses(family) };
    const failures = (await servers.get(family)?.update(update)) ?? [];
    const known = this.#complaints.get(family) ?? new Set();
    const complaints = new Set<string>();
    for (const { service, port, error } of failures) {
      const complaint = `${service} ${port} ${error.message}`;
      complaints.add(complaint);
      if (known.has(complaint)) continue;
      log.warn({ err: error, service, family, port }, 'cannot serve healthCheckNodePort');
      record(cannotServeEvent(service, port, error));
    }
    this.#complaints.set(family, complaints);
  }
}

// In kube-proxy's words.
function cannotServeEvent(service: ServiceKey, port: number, { message }: Error): ClusterEvent {
  const [namespace = '', name = ''] = service.split('/');
  return {
    regarding: { kind: 'Service', namespace, name },
    type: 'Warning',
    reason: 'FailedToStartServiceHealthcheck',
    action: 'Listen',
    note: `healthCheckNodePort ${port} cannot be served on this node: ${message}`,
  };
}

/**
 * Where the servers of a family listen: on all addresses, or on those of this host that nodePortAddresses
 * name, loopback as well.
 */
export function healthCheckAddresses(
  config: Pick<Config, 'nodePortAddresses'>,
  { nodeIps, hostIps }: NodeAddresses,
  family: Family,
): readonly string[] {
  const cidrs = nodePortCidrs(config, nodeIps, family);
  if (cidrs.length === 0) return [family === 'IPv4' ? '0.0.0.0' : '::'];
  return hostIps
    .filter((ip) => familyOf(ip) === family && cidrs.some((cidr) => cidrContains(cidr, ip)))
    .toSorted();
}
