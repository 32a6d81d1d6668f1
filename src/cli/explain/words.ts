// A decision in words: the object and the field that caused it, and what follows from that.
import { printable } from '../../cluster/problem.ts';
import type { Cause, Decision, NearMiss } from '../../explain/explanation.ts';
import type { Reason } from '../../model/forwarding.ts';
import type { Verdict } from '../../netfilter/trace.ts';

/** One line, safe to print: `Service web/shop: spec.internalTrafficPolicy Local: only endpoints ...`. */
export function decisionText(decision: Decision): string {
  return `${causeText(decision.cause)}: ${printable(followsFrom(decision))}`;
}

/** `Service web/shop: spec.ports[0].port tcp 80`, safe to print. */
export function causeText({ object, field, value }: Cause): string {
  const what = [field, value].filter((part) => part !== '').join(' ');
  return printable(what === '' ? object : `${object}: ${what}`);
}

const ends: Readonly<Record<Verdict, string>> = {
  forwarded: 'forwarded',
  untouched: 'left as it is',
  rejected: 'refused',
  dropped: 'dropped',
};

const frontendWords = {
  ClusterIP: 'its own address in the cluster',
  ExternalIP: 'an external address of it',
  LoadBalancer: 'the address of its load balancer',
  NodePort: 'its node port',
} as const;

/** What follows from the cause of a decision. */
function followsFrom(decision: Decision): string {
  if (isPlain(decision)) return plainWords[decision.kind];
  switch (decision.kind) {
    case 'frontend':
      return frontendWords[decision.frontend];
    case 'node-port-address':
      return decision.takes
        ? 'node ports answer at this address'
        : 'node ports do not answer at this address';
    case 'claimed-too':
      return `Service ${decision.loser} claims it as well, and is younger: it does not have it`;
    case 'source-ranges':
      return decision.allows ? 'the sender may use this address' : 'the sender is in none: dropped';
    case 'policy':
      return policyWords(decision);
    case 'short-circuit':
      return decision.client === 'pod'
        ? 'does not bind pods: they reach the endpoints of the whole cluster'
        : 'does not bind this node: it reaches the endpoints of the whole cluster';
    case 'hints':
      return `every ready endpoint has a hint, and some are for this ${decision.by}: only those count`;
    case 'affinity':
      return `a client that comes back within ${decision.seconds} s goes to the endpoint it had`;
    case 'no-endpoints':
      return `no endpoint can be used: ${ends[decision.verdict]}`;
    case 'no-local-endpoints':
      return `there are endpoints, but none on this node: ${ends[decision.verdict]}`;
    case 'unused-port':
      return `no port of it is the one asked for: ${ends[decision.verdict]}`;
    case 'unallocated':
      return `no rule: no Service has this address of the range: ${ends[decision.verdict]}`;
  }
}

// Of the decisions that say all by their kind.
const plainWords = {
  'from-node': 'this node itself sends',
  'from-pod': 'the sender is a pod',
  'from-outside': 'the sender is not there, so it is no pod',
  'pods-unknown': 'nothing here tells pods from others in this family',
  'service-port': 'the Service port that it is for',
  draining: 'no endpoint is ready: those that end but still serve stand in',
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
  'endpoint-stopped': 'the rules stop it there: the endpoint has the address of a Service port',
  'not-ours': 'no Service has this address and port: left as it is',
} as const satisfies Readonly<Partial<Record<Decision['kind'], string>>>;

type PlainDecision = Extract<Decision, { kind: keyof typeof plainWords }>;

function isPlain(decision: Decision): decision is PlainDecision {
  return Object.hasOwn(plainWords, decision.kind);
}

function policyWords({ policy, of }: Extract<Decision, { kind: 'policy' }>): string {
  if (policy === 'Cluster') return 'endpoints on any node count';
  return of === 'internal'
    ? 'only endpoints on this node count'
    : 'from outside, only endpoints on this node count';
}

/** Why an endpoint is left out, in a few words. */
export const reasonWords: Readonly<Record<Reason['kind'], string>> = {
  'not-ready': 'not ready',
  'terminating-beside-ready': 'it ends, and others are ready',
  'terminating-not-serving': 'it ends, and no longer serves',
  'not-local': 'not on this node',
  'other-zone': 'meant for another zone',
  'other-node': 'meant for another node',
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
