// Which UDP flows lead to an endpoint that no longer serves: conntrack would send their packets there
// for as long as the client goes on, whatever the rules say. Pure.
import type { Frontend, ServiceForwarding } from '../model/forwarding.ts';
import { frontendId, hostPort } from '../model/forwarding.ts';
import type { Ip } from '../model/ip.ts';
import { parseIp } from '../model/ip.ts';

/** One conntrack entry: where its packets were sent, and what answers. */
export type Flow = {
  readonly destination: Ip;
  readonly destinationPort: number;
  readonly replySource: Ip;
  readonly replySourcePort: number;
};

/** For each UDP frontend, by its id, the endpoints (`ip:port`) that its flows may lead to. */
export type FlowTargets = ReadonlyMap<string, ReadonlySet<string>>;

/** What the flows of touched Services may lead to now; nothing, where the frontend is gone. */
export function flowTargets(
  before: readonly ServiceForwarding[],
  after: readonly ServiceForwarding[],
): FlowTargets {
  const targets = new Map<string, ReadonlySet<string>>();
  for (const frontend of udpFrontends(before)) targets.set(frontendId(frontend.address), new Set());
  for (const frontend of udpFrontends(after)) {
    targets.set(frontendId(frontend.address), servingEndpoints(frontend));
  }
  return targets;
}

/** The flows to remove, each destination and endpoint once. */
export function staleFlows(flows: Iterable<Flow>, targets: FlowTargets): readonly Flow[] {
  const stale = new Map<string, Flow>();
  for (const flow of flows) {
    const frontend = `udp ${flow.destination} ${flow.destinationPort}`;
    const endpoint = hostPort(flow.replySource, flow.replySourcePort);
    const allowed = targets.get(frontend);
    if (allowed !== undefined && !allowed.has(endpoint)) stale.set(`${frontend} ${endpoint}`, flow);
  }
  return [...stale.values()];
}

/** Reads one line of `conntrack -L`; undefined where it is no UDP or TCP entry. */
export function parseFlow(line: string): Flow | undefined {
  const fields = [...line.matchAll(/\b(src|dst|sport|dport)=(\S+)/g)];
  const [destination, destinationPort] = [valueOf(fields, 'dst', 0), valueOf(fields, 'dport', 0)];
  const [replySource, replySourcePort] = [valueOf(fields, 'src', 1), valueOf(fields, 'sport', 1)];
  const ips = [parseIp(destination), parseIp(replySource)];
  if (ips[0] === undefined || ips[1] === undefined || destinationPort === '') return undefined;
  return {
    destination: ips[0],
    destinationPort: Number(destinationPort),
    replySource: ips[1],
    replySourcePort: Number(replySourcePort),
  };
}

function valueOf(fields: readonly RegExpExecArray[], name: string, occurrence: number): string {
  return fields.filter(([, key]) => key === name)[occurrence]?.[2] ?? '';
}

function* udpFrontends(services: readonly ServiceForwarding[]): Generator<Frontend> {
  for (const { frontends } of services) {
    for (const frontend of frontends) if (frontend.address.protocol === 'udp') yield frontend;
  }
}

// An endpoint that ends but still serves keeps the flows that it has (kube-proxy's conntrack cleanup).
function servingEndpoints({ route: { pool } }: Frontend): ReadonlySet<string> {
  const draining = pool.excluded
    .filter(({ reason }) => reason.kind === 'terminating-beside-ready')
    .map(({ endpoint }) => endpoint);
  return new Set([...pool.members, ...draining].map(({ ip, port }) => hostPort(ip, port)));
}
