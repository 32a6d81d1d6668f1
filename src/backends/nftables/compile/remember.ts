// Session affinity: whoever was sent to an endpoint is remembered in a map of the Service port, where the rules
// that send connections find it again. Pure. A connection is remembered once its endpoint is known, which is
// when it leaves; what it asked for is in its conntrack entry.
import type { Endpoint, FrontendAddress, Pool } from '../../../model/forwarding.ts';
import type { Family } from '../../../model/ip.ts';
import type { Protocol, TrafficPolicy } from '../../../model/kubernetes.ts';
import type { DispatchEntry, ServiceChain } from '../../../model/ruleset.ts';
import { matches } from './rule.ts';
import { poolsOf } from './shared-chain.ts';
import type { Expression, Statement } from '../expression.ts';
import { keys } from '../keys.ts';
import type { LookUp, ServicePortId } from '../names.ts';
import { affinityMapName, clientsChain, rememberChainName } from '../names.ts';
import type { Container } from '../schema.ts';
import {
  affinityFrontends,
  affinityMap,
  containers,
  familyWords,
  fieldExpressions,
  protocols,
} from '../schema.ts';
import type { ChainUnit, ContainerUnit, ElementUnit, NftRule } from '../unit.ts';
import { chainUnit, containerUnit, elementUnit } from '../unit.ts';

/** Leads what was sent to an endpoint whose clients are remembered to rememberChain. */
export function toRememberChain(family: Family): NftRule {
  const { key, name } = containers.affinityEndpoints;
  return {
    expr: [
      matches({ ct: { key: 'status' } }, 'dnat', 'in'),
      matches({ concat: fieldExpressions(family, key) }, `@${name}`),
      { jump: { target: clientsChain } },
    ],
  };
}

/** The chain that finds the Service port that a client asked for. */
export function rememberChain(family: Family): ChainUnit {
  const asked: Expression = { ct: { key: 'proto-dst', dir: 'original' } };
  const daddr: Expression = { ct: { key: `${familyWords[family].table} daddr`, dir: 'original' } };
  const rules = protocols.flatMap((protocol): readonly NftRule[] => {
    const got = fieldExpressions(family, ['daddr', 'dport'], protocol);
    const vmap = (by: LookUp, key: readonly Expression[]): Statement => ({
      vmap: { key: { concat: key }, data: `@${affinityFrontends(by, protocol).name}` },
    });
    // The port of a conntrack entry is of the protocol that is asked for before it.
    const isOfProtocol = matches({ meta: { key: 'l4proto' } }, protocol);
    return [
      { expr: [isOfProtocol, vmap('address', [daddr, asked])] },
      { expr: [vmap('node-port', [...got, asked])] },
    ];
  });
  return chainUnit(clientsChain, rules);
}

/** The endpoints of a chain whose clients are remembered; Services may share them. */
export function affinityEndpoints(chain: ServiceChain): readonly ElementUnit[] {
  const container = containers.affinityEndpoints.name;
  const { protocol, service: owner } = chain;
  const pools = poolsOf(chain).filter(({ affinitySeconds }) => affinitySeconds > 0);
  return pools.flatMap(({ members }) =>
    members.map(({ ip, port }) =>
      elementUnit({ container, key: keys.frontend.write({ ip, protocol, port }), owner }),
    ),
  );
}

/** Whether clients of the chain stay with their endpoints. */
export function hasAffinity(chain: ServiceChain): boolean {
  return poolsOf(chain).some(({ affinitySeconds }) => affinitySeconds > 0);
}

/** What remembers the clients of the Service ports with affinity among these entries, each port once. */
export function clientUnits(
  family: Family,
  entries: readonly DispatchEntry[],
): readonly (ChainUnit | ContainerUnit | ElementUnit)[] {
  const chains = entries.flatMap(({ address, to }) =>
    'rules' in to && hasAffinity(to) ? [{ address, chain: to }] : [],
  );
  const ports = Map.groupBy(chains, ({ chain }) => rememberChainName(chain));
  return [...ports].flatMap(([name, frontends]) => portUnits(family, name, frontends));
}

type AffinityFrontend = { readonly address: FrontendAddress; readonly chain: ServiceChain };

function portUnits(
  family: Family,
  name: string,
  frontends: readonly AffinityFrontend[],
): readonly (ChainUnit | ContainerUnit | ElementUnit)[] {
  const [first] = frontends;
  if (first === undefined) return [];
  const { service: owner, protocol } = first.chain;
  const pools = new Map(
    frontends.flatMap(({ chain }) => poolsOf(chain)).map((pool) => [pool.policy, pool]),
  );
  const remembered = [...pools.values()].flatMap((pool) => clientMaps(first.chain, pool));
  const maps = remembered.map(({ container, endpoints }) => ({
    ...containerUnit(family, container, endpoints),
    owner,
  }));
  const rules = rememberRules(family, protocol, remembered);
  const elements = frontends.flatMap(({ address, chain }) =>
    elementKeys(address, chain).map(({ by, key }) =>
      elementUnit({
        container: affinityFrontends(by, protocol).name,
        key,
        value: keys.chain.write(name),
        owner,
      }),
    ),
  );
  return [...maps, { ...chainUnit(name, rules), owner }, ...elements];
}

// That of a node port names the endpoint too: what the client asked for may be another Service's address.
function elementKeys(
  address: FrontendAddress,
  chain: ServiceChain,
): readonly { readonly by: LookUp; readonly key: string }[] {
  const { ip, port } = address;
  if (ip !== undefined) return [{ by: 'address', key: keys.target.write({ ip, port }) }];
  const members = new Set(poolsOf(chain).flatMap((pool) => pool.members.map(keys.target.write)));
  return [...members].map((target) => ({
    by: 'node-port',
    key: `${target} . ${port}`,
  }));
}

// Endpoints of this node that are about to end stand in where no other of it is ready, and hints hold for the cluster
// alone: then they are none of those for the whole cluster, whose map must not send anybody there.
function rememberRules(
  family: Family,
  protocol: Protocol,
  maps: readonly ClientMap[],
): readonly NftRule[] {
  const { Local: local = [], Cluster: cluster = [] } = Object.groupBy(maps, ({ policy }) => policy);
  const ruleFor = (map: ClientMap): NftRule => rememberRule(family, protocol, map);
  if (cluster.length === 0) return local.map(ruleFor);
  const targets = ({ endpoints }: ClientMap): readonly string[] => endpoints.map(keys.target.write);
  const known = new Set(cluster.flatMap(targets));
  const strangers = local.flatMap(({ endpoints }) =>
    endpoints.filter((endpoint) => !known.has(keys.target.write(endpoint))),
  );
  return [
    ...local.map(ruleFor),
    ...strangers.map((endpoint) => leaveOut(family, protocol, endpoint)),
    ...cluster.map(ruleFor),
  ];
}

function leaveOut(family: Family, protocol: Protocol, { ip, port }: Endpoint): NftRule {
  const daddr = { payload: { protocol: familyWords[family].table, field: 'daddr' } };
  const dport = { payload: { protocol, field: 'dport' } };
  return { expr: [matches(daddr, ip), matches(dport, port), { return: null }] };
}

// The destination is the endpoint's by now. The clients of endpoints on this node alone are remembered apart,
// as whoever gets just those must not be sent elsewhere.
function rememberRule(
  family: Family,
  protocol: Protocol,
  { container, port, policy }: ClientMap,
): NftRule {
  const { hairpinConnections } = containers;
  const [, destination = '', ...rest] = fieldExpressions(family, hairpinConnections.key);
  const { table } = familyWords[family];
  const isLocal = { concat: [destination, destination, ...rest] };
  return {
    expr: [
      ...(policy === 'Local' ? [matches(isLocal, `@${hairpinConnections.name}`)] : []),
      matches({ payload: { protocol, field: 'dport' } }, port),
      {
        map: {
          op: 'update',
          elem: { ct: { key: `${table} saddr`, dir: 'original' } },
          data: destination,
          map: `@${container.name}`,
        },
      },
    ],
  };
}

/** A map of the clients of a Service port that were sent to one of these endpoints, all at one port. */
export type ClientMap = {
  readonly container: Container;
  readonly policy: TrafficPolicy;
  readonly port: number;
  readonly endpoints: readonly Endpoint[];
};

/** The maps for a pool with affinity: one, or as many as its endpoints have ports. */
export function clientMaps(
  id: ServicePortId,
  { members, policy, affinitySeconds: seconds }: Pool,
): readonly ClientMap[] {
  if (seconds === 0) return [];
  return [...Map.groupBy(members, ({ port }) => port)].map(([port, endpoints]) => {
    const name = affinityMapName(id, policy, { seconds, port });
    return { container: affinityMap(name, seconds), policy, port, endpoints };
  });
}
