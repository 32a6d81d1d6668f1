// Decodes an EndpointSlice: untrusted JSON in, our EndpointSlice or why there is none out. One bad
// endpoint or port leaves out just itself: the others must go on getting traffic.
import { LRUCache } from 'lru-cache';
import { readIp } from './address.ts';
import { readHints, readNodeName } from './hints.ts';
import { hasLabel, isDnsLabel, readNamespacedName, timeOf } from './metadata.ts';
import { readPortName, readPortNumber, readProtocol } from './port.ts';
import {
  child,
  entries,
  objectEntries,
  readBoolean,
  readChoice,
  readText,
  report,
  rootField,
  section,
  type Field,
} from './json-field.ts';
import { quoted, type Decoded, type Problem } from '../problem.ts';
import { compact } from '../../compact.ts';
import { familyOf, type Family } from '../../model/ip.ts';
import {
  serviceKey,
  type EndpointSlice,
  type EndpointState,
  type SliceEndpoint,
  type SlicePort,
} from '../../model/kubernetes.ts';

const serviceNameLabel = 'kubernetes.io/service-name';
const triggerTimeAnnotation = 'endpoints.kubernetes.io/last-change-trigger-time';
const headlessLabel = 'service.kubernetes.io/headless';

/** The EndpointSlice that `raw` describes; headless, FQDN and ownerless slices are ignored. */
export function decodeEndpointSlice(raw: unknown): Decoded {
  const problems: Problem[] = [];
  const root = rootField(raw, problems);
  const metadata = section(root, 'metadata');
  const identity = readNamespacedName(metadata);
  if (identity === undefined) return { kind: 'bad', id: undefined, problems };
  const id = `${identity.namespace}/${identity.name}`;
  const labels = section(metadata, 'labels');
  const why = whyIgnored(labels, root);
  if (why !== undefined && problems.length === 0) return { kind: 'ignored', id, why };
  const service = readServiceLabel(child(labels, serviceNameLabel));
  const family = readFamily(child(root, 'addressType'));
  if (problems.length > 0 || service === undefined || family === undefined) {
    return { kind: 'bad', id, problems };
  }
  const leftOut: Problem[] = [];
  const value = {
    ...identity,
    service: serviceKey(identity.namespace, service),
    family,
    ports: withoutBad(child(root, 'ports'), readSlicePort),
    endpoints: withoutBad(child(root, 'endpoints'), (entry) =>
      readEndpoint(entry, family, leftOut),
    ),
    ...readTriggerTime(metadata, leftOut),
  };
  const object = { kind: 'EndpointSlice', id, value } as const;
  return { kind: 'object', object, problems: [...problems, ...leftOut] };
}

function whyIgnored(labels: Field, root: Field): string | undefined {
  if (hasLabel(labels, headlessLabel)) return 'slices of headless Services are not proxied';
  if (child(root, 'addressType').value === 'FQDN') return 'FQDN slices have no addresses';
  const service = child(labels, serviceNameLabel).value;
  return service === undefined || service === '' ? `no label ${serviceNameLabel}` : undefined;
}

function readServiceLabel(field: Field): string | undefined {
  const service = readText(field);
  if (service === undefined || isDnsLabel(service)) return service;
  report(field, `${quoted(service)} is not a DNS label`);
  return undefined;
}

function readFamily(field: Field): Family | undefined {
  if (field.value === undefined) report(field, 'is missing');
  return readChoice(field, ['IPv4', 'IPv6']);
}

// Only a metric is made of it, so a bad one is reported, and nothing else.
function readTriggerTime(
  metadata: Field,
  problems: Problem[],
): Pick<EndpointSlice, 'triggeredAtMs'> {
  const field = child(section({ ...metadata, problems }, 'annotations'), triggerTimeAnnotation);
  const text = readText(field);
  if (text === undefined) return {};
  const triggeredAtMs = timeOf(text);
  if (triggeredAtMs !== undefined) return { triggeredAtMs };
  report(field, `${quoted(text)} is not a time such as 2026-01-31T12:00:00Z`);
  return {};
}

/** The entries that `read` finds nothing wrong with; the problems of the others stay reported. */
function withoutBad<T>(list: Field, read: (entry: Field) => T | undefined): readonly T[] {
  const good = objectEntries(list).flatMap((entry) => {
    const before = entry.problems.length;
    const value = read(entry);
    return value === undefined || entry.problems.length > before ? [] : [value];
  });
  return compact(good);
}

function readSlicePort(entry: Field): SlicePort | undefined {
  const name = readPortName(child(entry, 'name'));
  const protocol = readProtocol(child(entry, 'protocol'));
  const port = readPortNumber(child(entry, 'port'));
  return port === undefined ? undefined : { name, protocol, port };
}

/** `hintProblems` gets what is wrong with hints, which leaves out just the hints. */
function readEndpoint(
  entry: Field,
  family: Family,
  hintProblems: Problem[],
): SliceEndpoint | undefined {
  // Only the first address counts: the others were never given a meaning, and kube-proxy reads none.
  const addresses = child(entry, 'addresses');
  const first = entries(addresses)[0];
  if (first?.value === undefined) {
    report(first ?? addresses, 'is missing');
    return undefined;
  }
  const ip = readIp(first);
  if (ip === undefined) return undefined;
  if (familyOf(ip) !== family) report(first, `${ip} is not ${family}, which addressType says`);
  const conditions = section(entry, 'conditions');
  const { zoneHints, nodeHints } = readHints({ ...entry, problems: hintProblems });
  const state = {
    nodeName: readNodeName(child(entry, 'nodeName')),
    ready: readBoolean(child(conditions, 'ready')) ?? true,
    serving: readBoolean(child(conditions, 'serving')) ?? true,
    terminating: readBoolean(child(conditions, 'terminating')) ?? false,
    zoneHints,
    nodeHints,
  };
  return { ip, state: sharedState(state) };
}

// The nodes of a large cluster, in their usual state.
const states = new LRUCache<string, EndpointState>({ max: 10_000 });

// One object for all endpoints of which the same is said: a cluster has very many endpoints, and few nodes.
function sharedState(state: EndpointState): EndpointState {
  const id = JSON.stringify(state);
  const known = states.get(id);
  if (known === undefined) states.set(id, state);
  return known ?? state;
}
