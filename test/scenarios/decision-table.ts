// What was decided, as a table that people read: every frontend, its route, its endpoints and why
// others were left out.
import type { Frontend, ServiceForwarding } from '../../src/model/forwarding.ts';
import { hostPort } from '../../src/model/forwarding.ts';
import { servicePortName } from '../../src/model/kubernetes.ts';

/** The frontends of all Services in one family, sorted by address. */
export function decisionTable(services: Iterable<ServiceForwarding>): string {
  const frontends = [...services].flatMap((service) => service.frontends);
  return frontends.toSorted(byAddress).map(frontendLines).join('');
}

function frontendLines({ address, service, portName, route }: Frontend): string {
  const { ip, protocol, port } = address;
  const masquerade = route.kind === 'forward' ? `, masquerade ${route.masquerade}` : '';
  const head = `${protocol} ${hostPort(ip, port)} ${servicePortName(service, portName)}: ${route.kind}`;
  const members = route.pool.members.map(
    (member) => `  ${hostPort(member.ip, member.port)}${member.isLocal ? ' on this node' : ''}\n`,
  );
  const excluded = route.pool.excluded.map(
    ({ endpoint, reason }) => `  ${hostPort(endpoint.ip, endpoint.port)} left out: ${reason.kind}\n`,
  );
  return [`${head}${masquerade}\n`, ...members, ...excluded].join('');
}

function byAddress(a: Frontend, b: Frontend): number {
  return JSON.stringify(a.address) < JSON.stringify(b.address) ? -1 : 1;
}
