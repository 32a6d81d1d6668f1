// What happens to Services in words: facts in, lines out. Names from a cluster are printed without control
// characters, which a terminal would obey.
import { printable } from '../../cluster/problem.ts';
import type { Fact } from '../../diff/facts.ts';
import type { PortChange, ServiceChange } from '../../diff/service-change.ts';
import type { FrontendAddress } from '../../model/forwarding.ts';
import { hostPort } from '../../model/forwarding.ts';

/** How many conntrack entries of these addresses will be removed. */
export type CountFlows = (
  addresses: readonly Pick<ServiceChange['addresses'][number], 'family' | 'address'>[],
) => number;

/** The lines about one Service, without signs; `flows` is undefined if nobody counted. */
export function changeWords(
  change: ServiceChange,
  flows: CountFlows | undefined,
): readonly string[] {
  const name = printable(change.service);
  if (change.change !== 'changed') {
    const what = change.change === 'added' ? addedWords(change) : removedWords(change);
    return [`${name}: ${what}${flowWords(flows?.(change.addresses))}`];
  }
  const isDual = new Set(change.addresses.map(({ family }) => family)).size > 1;
  return change.ports.map((port) => {
    const { family, portName } = port;
    const of = portName === '' ? name : `${name} ${printable(portName)}`;
    const where = isDual ? `${family}: ` : '';
    const going = flows?.(port.addresses.map((address) => ({ family, address })));
    return `${of}: ${where}${portWords(port)}${flowWords(going)}`;
  });
}

function addedWords({ addresses, endpoints: { after } }: ServiceChange): string {
  return `added, at ${listed(addresses.map(addressText))}, ${withEndpoints(after)}`;
}

function removedWords({ addresses, endpoints: { before } }: ServiceChange): string {
  return `removed, at ${listed(addresses.map(addressText))}, ${withEndpoints(before)}`;
}

function withEndpoints(count: number): string {
  return count === 0 ? 'without an endpoint' : `with ${counted(count, 'endpoint')}`;
}

function portWords({ addresses, isWholePort, facts }: PortChange): string {
  const at = listed(addresses.map((address) => addressText({ address })));
  const [first] = facts;
  if (first?.kind === 'address') return `${at} ${addressFactWords(first)}`;
  const where = isWholePort ? '' : `at ${at}: `;
  return `${where}${facts.map(factWords).join('; ')}`;
}

function addressFactWords({ op, endpoints }: Extract<Fact, { kind: 'address' }>): string {
  if (op === 'removed') return 'removed';
  return `added, ${withEndpoints(endpoints)}`;
}

const until = {
  forward: 'served until now',
  reject: 'refused until now',
  drop: 'dropped until now',
} as const;
const now = {
  forward: 'served from now on',
  reject: 'connections are refused',
  drop: 'connections are dropped: the traffic policy allows none of the endpoints',
} as const;

function factWords(fact: Fact): string {
  switch (fact.kind) {
    case 'address':
      return addressFactWords(fact);
    case 'endpoints':
      return `${fact.scope === 'outside' ? 'from outside: ' : ''}${endpointWords(fact)}`;
    case 'fate':
      return fact.after === 'forward' ? until[fact.before] : now[fact.after];
    case 'affinity':
      return `session affinity: ${seconds(fact.after)} (before: ${seconds(fact.before)})`;
    case 'sources':
      return `allowed sources: ${sources(fact.after)} (before: ${sources(fact.before)})`;
    case 'masquerade':
      return 'the sources that are masqueraded change';
    case 'name':
      return `the port was named ${JSON.stringify(printable(fact.before))}`;
    default:
      return fact satisfies never;
  }
}

function endpointWords({
  added,
  removed,
  before,
  after,
}: Extract<Fact, { kind: 'endpoints' }>): string {
  const noun = added.length + removed.length === 1 ? 'endpoint' : 'endpoints';
  const changes = [
    ...(added.length === 0 ? [] : [`${listed(added)} added`]),
    ...(removed.length === 0 ? [] : [`${listed(removed)} removed`]),
  ];
  return `${noun} ${changes.join(', ')}, ${balance(before, after)}`;
}

function balance(before: number, after: number): string {
  if (after === 0) return 'none left';
  if (after < before) return `${after} of ${before} left`;
  return after === before ? `${after} as before` : `${after} instead of ${before || 'none'}`;
}

function seconds(affinity: number): string {
  return affinity === 0 ? 'none' : `${affinity} s`;
}

function sources(allowed: readonly string[] | undefined): string {
  if (allowed === undefined) return 'all';
  return allowed.length === 0 ? 'none' : listed(allowed.map(printable));
}

function flowWords(count = 0): string {
  if (count === 0) return '';
  return `; ${count === 1 ? '1 conntrack entry' : `${count} conntrack entries`} will be removed`;
}

/** `10.96.0.10:80/tcp`, `node port 30080/tcp`. */
export function addressText({ address }: { readonly address: FrontendAddress }): string {
  const { ip, port, protocol } = address;
  return `${ip === undefined ? `node port ${port}` : hostPort(ip, port)}/${protocol}`;
}

/** `1 endpoint`, `2 endpoints`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

const longestList = 4;

/** All of them, or the first and how many more there are. */
export function listed(all: readonly string[]): string {
  if (all.length <= longestList) {
    const last = all.at(-1) ?? '';
    return all.length < 2 ? last : `${all.slice(0, -1).join(', ')} and ${last}`;
  }
  const shown = all.slice(0, longestList - 1);
  return `${shown.join(', ')} and ${all.length - shown.length} more`;
}
