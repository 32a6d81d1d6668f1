// The endpoints that a packet may be sent to, and the others, with where each is written. Pure.
import type { Endpoint, Frontend, Pool } from '../model/forwarding.ts';
import { hostPort } from '../model/forwarding.ts';
import { collectEndpoints } from '../resolve/endpoints.ts';
import type { ExplainedEndpoint, ExplainedPool } from './explanation.ts';
import type { World } from './world.ts';

/** The pool of a frontend; `shareOf` says what part of connections an endpoint gets. */
export function explainedPool(
  { config: { nodeName }, family, slicesOf }: World,
  { service, portName, address: { protocol } }: Frontend,
  { pool, shareOf }: { pool: Pool; shareOf: (endpoint: Endpoint) => number },
): ExplainedPool {
  const query = { slices: slicesOf(service), family, nodeName };
  const candidates = collectEndpoints({ name: portName, protocol }, query);
  const byId = new Map(candidates.map((candidate) => [candidate.id, candidate]));
  const written = ({ ip, port, isLocal }: Endpoint): ExplainedEndpoint => {
    const { nodeName: home = '', slice } = byId.get(hostPort(ip, port)) ?? {};
    return { ip, port, isLocal, nodeName: home, slice: `${slice?.namespace}/${slice?.name}` };
  };
  return {
    policy: pool.policy,
    members: pool.members.map((member) => ({ ...written(member), share: shareOf(member) })),
    skipped: pool.skipped.map(({ endpoint, reason }) => ({ ...written(endpoint), reason })),
  };
}
