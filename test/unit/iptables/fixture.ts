// Services for the tests of the iptables backend, through the real rule book.
import { buildParts, buildService } from '../../../rules/index.ts';
import { createIptablesBackend } from '../../../src/backends/iptables/backend.ts';
import type { IptablesUnit } from '../../../src/backends/iptables/unit.ts';
import type { Assembly } from '../../../src/backends/backend.ts';
import type { Exec } from '../../../src/host/exec.ts';
import type { Endpoint, Frontend } from '../../../src/model/forwarding.ts';
import type { Family, Ip } from '../../../src/model/ip.ts';
import { parseCidr, parseIp } from '../../../src/model/ip.ts';
import type { Protocol, ServiceKey } from '../../../src/model/kubernetes.ts';
import type { ServiceRules } from '../../../src/model/ruleset.ts';
import type { FamilySettings, PodSource } from '../../../src/model/settings.ts';

/** One port of a Service: its address, and `ip port` of its endpoints. */
export type PortSpec = {
  readonly name?: string;
  readonly protocol?: Protocol;
  readonly port?: number;
  readonly endpoints: readonly (readonly [ip: string, port: number])[];
};

const podCidrs: Readonly<Record<Family, string>> = {
  IPv4: '10.244.0.0/16',
  IPv6: 'fd00:10:244::/56',
};

export function settings(family: Family, podSource?: PodSource): FamilySettings {
  const cidr = parseCidr(podCidrs[family]);
  if (cidr === undefined) throw new Error('no CIDR');
  return {
    family,
    masqueradeMark: 0x4000,
    masqueradeAll: false,
    podSource: podSource ?? { kind: 'cidr', cidr },
    guardsClusterIps: false,
    acceptsForwarded: true,
    serviceCidrs: [],
  };
}

export function ip(text: string): Ip {
  const parsed = parseIp(text);
  if (parsed === undefined) throw new Error(`no address: ${text}`);
  return parsed;
}

/** The rules of a Service; a port without endpoints is refused. */
export function service(
  key: string,
  address: string,
  { ports, under }: { readonly ports: readonly PortSpec[]; readonly under?: FamilySettings },
): ServiceRules {
  const clusterIp = ip(address);
  const family: Family = address.includes(':') ? 'IPv6' : 'IPv4';
  const frontends = ports.map((spec): Frontend => {
    const { name = 'http', protocol = 'tcp', port = 80, endpoints } = spec;
    const members = endpoints.map(([endpoint, endpointPort]): Endpoint => ({
      ip: ip(endpoint),
      port: endpointPort,
      isLocal: true,
    }));
    const pool = { members, excluded: [] };
    return {
      kind: 'ClusterIP',
      address: { ip: clusterIp, protocol, port },
      service: key as ServiceKey,
      portName: name,
      route:
        members.length === 0
          ? { kind: 'reject', pool }
          : { kind: 'forward', pool, masquerade: 'from-outside-the-pod-network' },
    };
  });
  const forwarding = { service: key as ServiceKey, family, frontends };
  return buildService(forwarding, under ?? settings(family));
}

const noExec: Exec = (file) => Promise.reject(new Error(`${file} was run`));

/** An assembly that holds `services`. */
export function assembly(
  family: Family,
  services: readonly ServiceRules[],
): Assembly<IptablesUnit> {
  const under = settings(family);
  const made = createIptablesBackend(noExec).assemble(buildParts(under), under);
  made.replace(new Map(services.map((rules) => [rules.service, rules])));
  return made;
}
