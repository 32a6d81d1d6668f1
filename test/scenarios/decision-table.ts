// What was decided, as a table that people read: every frontend, its route, its endpoints and why
// others were left out.
import type { Frontend, Pool, ServiceForwarding } from '../../src/model/forwarding.ts';
import { hostPort } from '../../src/model/forwarding.ts';
import { servicePortName } from '../../src/model/kubernetes.ts';

/** The frontends of all Services in one family, sorted by address. */
export function decisionTable(services: Iterable<ServiceForwarding>): string {
  const frontends = [...services].flatMap((service) => service.frontends);
  return frontends.toSorted(byAddress).map(frontendLines).join('');
}

function frontendLines(frontend: Frontend): string {
  const { kind, address, service, portName, route, allowFrom } = frontend;
  const { ip, protocol, port } = address;
  const masquerade = route.kind === 'forward' ? `, masquerade ${route.masquerade}` : '';
  const where = ip === undefined ? `*:${port}` : hostPort(ip, port);
  const name = servicePortName(service, portName);
  const head = `${protocol} ${where} ${kind} of ${name}: ${route.kind}${masquerade}`;
  const { affinitySeconds } = route.pool;
  const affinity = affinitySeconds === 0 ? '' : `, affinity ${affinitySeconds} s`;
  const ranges = allowFrom === undefined ? '' : `, only from ${allowFrom.join(' ')}`;
  const cluster =
    route.kind === 'forward-local'
      ? `  for pods and this node:\n${poolLines(route.cluster, '    ')}`
      : '';
  return `${head}${affinity}${ranges}\n${poolLines(route.pool, '  ')}${cluster}`;
}

function poolLines({ members, excluded }: Pool, indent: string): string {
  const used = members.map(
    ({ ip, port, isLocal }) => `${indent}${hostPort(ip, port)}${isLocal ? ' on this node' : ''}\n`,
  );
  const unused = excluded.map(
    ({ endpoint, reason }) =>
      `${indent}${hostPort(endpoint.ip, endpoint.port)} left out: ${reason.kind}\n`,
  );
  return [...used, ...unused].join('');
}

function byAddress(a: Frontend, b: Frontend): number {
  return JSON.stringify(a.address) < JSON.stringify(b.address) ? -1 : 1;
}
