// A decision in words: the object and the field that caused it, and what follows from that.
import { printable } from '../../cluster/problem.ts';
import type { Decision, NearMiss, StopKind } from '../../explain/explanation.ts';
import type { Cause, ConflictKind } from '../../model/reason.ts';
import type { Verdict } from '../../netfilter/trace.ts';

/** One line, safe to print: `Service web/shop: spec.internalTrafficPolicy Local: only endpoints ...`. */
export function decisionText(decision: Decision): string {
  return `${causeText(decision)}: ${printable(followsFrom(decision))}`;
}

/** `Service web/shop: spec.ports[0].port tcp 80`, safe to print. */
export function causeText({ object, field, value }: Cause): string {
  const what = [field, value].filter((part) => part !== '').join(' ');
  return printable(what === '' ? object : `${object}: ${what}`);
}

function followsFrom(decision: Decision): string {
  if ('loser' in decision) {
    const { loser, kind } = decision;
    return `Service ${loser} claims it as well, ${loserWords[kind]}: it does not have it`;
  }
  return 'verdict' in decision
    ? `${decisionWords[decision.kind]}: ${ends[decision.verdict]}`
    : decisionWords[decision.kind];
}

const ends: Readonly<Record<Verdict, string>> = {
  forwarded: 'forwarded',
  untouched: 'left as it is',
  rejected: 'refused',
  dropped: 'dropped',
};

const loserWords: Readonly<Record<ConflictKind, string>> = {
  'is-api-server': 'and would cut this node off',
  'is-cluster-ip': 'but not as its ClusterIP',
  'is-node-port': 'but not as its node port',
  'is-load-balancer': 'but by externalIPs, which come after it',
  older: 'and is younger',
  'has-creation-time': 'and has no creation time, which counts as younger',
  'name-sorts-first': 'neither is older, and its namespace/name sorts later',
};

const stopWords: Readonly<Record<StopKind | `endpoint-${StopKind}`, string>> = {
  'no-endpoints': 'no endpoint can be used',
  'no-local-endpoints': 'there are endpoints, but none on this node',
  'unused-port': 'no port of it is the one asked for',
  unallocated: 'no rule: no Service has this address of the range',
  'endpoint-no-endpoints':
    'an endpoint has the address of this Service port, which no endpoint answers',
  'endpoint-no-local-endpoints':
    'an endpoint has the address of this Service port, which no endpoint on this node answers',
  'endpoint-unused-port':
    'an endpoint has this address, with a port that the Service does not have',
  'endpoint-unallocated': 'endpoints have addresses of this Service range that no Service has',
};

type WordedKind = Exclude<Decision['kind'], ConflictKind>;

const decisionWords: Readonly<Record<WordedKind, string>> = {
  ...stopWords,
  'endpoint-stopped': 'the rules stop what is sent to this endpoint',
  'from-node': 'this node itself sends',
  'from-pod': 'the sender is a pod',
  'from-outside': 'the source is outside the pod network',
  'pods-unknown': 'nothing here tells pods from others in this family',
  ClusterIP: 'its own address in the cluster',
  ExternalIP: 'an external address of it',
  LoadBalancer: 'the address of its load balancer',
  NodePort: 'its node port',
  'node-ports-answer': 'node ports answer at this address',
  'no-node-ports-answer': 'node ports do not answer at this address',
  'service-port': 'the Service port that it is for',
  'source-range': 'the sender may use this address',
  'own-address': 'the sender may use this address',
  'open-to-all': 'everybody may use this address',
  'source-refused': 'the sender is in none: dropped',
  'policy-cluster': 'endpoints on any node count',
  'policy-local': 'only endpoints on this node count',
  'policy-local-outside': 'from outside, only endpoints on this node count',
  'short-circuit':
    'does not bind pods and this node: they reach the endpoints of the whole cluster',
  'node-hints': 'every ready endpoint has a hint, and some are for this node: only those count',
  'zone-hints': 'every ready endpoint has a hint, and some are for this zone: only those count',
  draining: 'no endpoint is ready: those that are terminating but still serve stand in',
  affinity: 'a client that comes back within so many seconds goes to the endpoint it had',
  'masquerade-all': 'masqueraded: the endpoint sees an address of this node',
  'masquerade-outside':
    'not from a pod, so masqueraded: the answer must come back through this node',
  'masquerade-external':
    'masqueraded: wherever the endpoint is, the answer must come back through this node',
  'masquerade-node': 'from this node to endpoints anywhere, so masqueraded',
  'masquerade-hairpin':
    'where it is sent to itself, masqueraded: else it would answer itself past this node',
  'keep-pod': 'from a pod, so the source address is kept',
  'keep-local': 'the endpoint is on this node, so the source address is kept',
  'keep-undetected': 'nothing tells pods from others, so the source address is kept',
  'health-check-port': 'a load balancer asks there whether this node has endpoints: let in',
  localnet: 'from elsewhere to a loopback address: dropped',
  'not-ours': 'no Service has this address and port: left as it is',
};

/** A Service that the packet just misses, on one line that is safe to print. */
export function nearMissText({ kind, service, has, cause }: NearMiss): string {
  const words: Readonly<Record<NearMiss['kind'], string>> = {
    'other-port': `has this address, with other ports: ${has}`,
    'other-protocol': `has this port with another protocol: ${has}`,
    'node-port-elsewhere': `has this node port, at other addresses of this node: ${has}`,
    'its-endpoint': `has this endpoint: asked directly, past the Service, ${has} answers or not by itself`,
    headless: 'is headless: it has no address, and its clients reach the pods directly',
    'external-name': `is an ExternalName for ${has}: it has no address, only a name in DNS`,
    'other-proxy': 'is given to another proxy by a label',
    'no-address': `has no address yet${has === '' ? '' : `, but ${has}`}`,
  };
  return `${printable(`Service ${service} ${words[kind]}`)} (${causeText(cause)})`;
}
