// What was decided, as a table that people read: every frontend, its route, its endpoints and why others were left
// out, with the object, field and value that each decision rests on; then the addresses that another Service has.
import type { Frontend, Pool, ServiceForwarding } from '../../src/model/forwarding.ts';
import { frontendId, hostPort } from '../../src/model/forwarding.ts';
import { servicePortName } from '../../src/model/kubernetes.ts';
import type { Reason } from '../../src/model/reason.ts';
import type { Conflict } from '../../src/resolve/claims.ts';

/** The frontends of all Services in one family, sorted by address, and the claims that were lost. */
export function decisionTable(
  services: Iterable<ServiceForwarding>,
  conflicts: readonly Conflict[],
): string {
  const frontends = [...services].flatMap((service) => service.frontends);
  return [...frontends.toSorted(byAddress).map(frontendLines), ...conflicts.map(conflictLines)].join('');
}

function conflictLines({ frontend: { service, portName, address }, winner, reason }: Conflict): string {
  const name = servicePortName(service, portName);
  return `${frontendId(address)} of ${name}: ${winner} has it\n${reasonLines([reason], '  ')}`;
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
  const reasons = reasonLines([...frontend.openTo, route.policy], '  ');
  return `${head}${affinity}${ranges}\n${reasons}${poolLines(route.pool, '  ')}${cluster}${sourceLines(route)}`;
}

function sourceLines(route: Frontend['route']): string {
  if (!('source' in route)) return '';
  const { source, sourceCause: cause } = route;
  const kinds = [...new Set([source.pod, source.node, source.outside])];
  const reasons = kinds.map((kind) => ({ ...cause, kind }));
  return reasonLines(reasons, '  ');
}

function reasonLines(reasons: readonly Reason[], indent: string): string {
  return reasons
    .map(({ kind, object, field, value }) => `${indent}${kind}: ${object}: ${field} = ${value}\n`)
    .join('');
}

function poolLines({ members, skipped, reasons }: Pool, indent: string): string {
  const used = members.map(
    ({ ip, port, isLocal }) => `${indent}${hostPort(ip, port)}${isLocal ? ' on this node' : ''}\n`,
  );
  const unused = skipped.map(
    ({ endpoint, reason }) =>
      `${indent}${hostPort(endpoint.ip, endpoint.port)} skipped: ${reasonLines([reason], '')}`,
  );
  return [reasonLines(reasons, indent), ...used, ...unused].join('');
}

function byAddress(a: Frontend, b: Frontend): number {
  return JSON.stringify(a.address) < JSON.stringify(b.address) ? -1 : 1;
}
