// Does an answer of explain's fit itself, and what the kernel was seen to do?
import type { End, Explanation } from '../../../src/explain/explanation.ts';
import type { ProxyMode } from '../../../src/model/config.ts';
import type { Ip } from '../../../src/model/ip.ts';
import { familyOf } from '../../../src/model/ip.ts';
import type { Packet, Ruleset } from '../../../src/netfilter/trace.ts';
import { bridge, hostIps } from './network.ts';
import type { Seen } from './seen.ts';

const masquerades: ReadonlySet<string> = new Set([
  'masquerade-all',
  'masquerade-outside',
  'masquerade-external',
  'masquerade-node',
]);

/** Where the words of an answer, its pool and its decision on the source, do not fit its ends. */
export function faultsOf({ verdict, decisions, pool, ends }: Explanation): readonly string[] {
  const sent = ends.filter((end) => end.verdict === 'forwarded');
  const said = pool?.members.filter(({ share }) => share > 0) ?? [];
  const isPool = verdict !== 'forwarded' || said.length === new Set(sent.map(idOfEnd)).size;
  const isMasqueraded = decisions.some(({ kind }) => masquerades.has(kind));
  const isHairpin = decisions.some(({ kind }) => kind === 'masquerade-hairpin');
  const isSource = sent.every(
    ({ after }) => (after?.source === 'node') === isMasqueraded || isHairpin,
  );
  return [...(isPool ? [] : ['the pool']), ...(isSource ? [] : ['the source'])];
}

function idOfEnd({ endpoint }: End): string {
  return `${endpoint?.ip} ${endpoint?.port}`;
}

// kube-proxy's iptables mode, and ours, asks for a load balancer's source ranges only on the way to an
// endpoint: where there is none, all are refused alike.
export function differsByDesign(packet: Packet, ruleset: Ruleset, mode: ProxyMode): boolean {
  if (mode !== 'iptables') return false;
  const isRestricted = (name: string): boolean =>
    ruleset.services.some(({ entries }) =>
      entries.some(
        ({ dispatch, address }) =>
          dispatch === name &&
          address.ip === packet.destination &&
          address.port === packet.port &&
          address.protocol === packet.protocol,
      ),
    );
  return isRestricted('source-ranges') && !isRestricted('services');
}

/** Whether this is the end that was seen. */
export function isSame(end: End, seen: Seen, packet: Packet): boolean {
  if (seen.verdict !== 'passed') {
    // Nothing listens on the node: what reaches it there is refused by it, too.
    const isRefusedByNode = end.verdict === 'untouched' && hostIps.includes(packet.destination);
    return seen.verdict === end.verdict || (isRefusedByNode && seen.verdict === 'rejected');
  }
  if (end.after === undefined) return false;
  const { destination, port, source } = end.after;
  const from = source === 'node' ? masqueradedTo(destination) : source;
  return seen.destination === destination && seen.port === port && seen.source === from;
}

// The address of the interface that the route to the endpoint leaves by.
function masqueradedTo(endpoint: Ip): string {
  const family = familyOf(endpoint);
  if (hostIps.includes(endpoint)) return endpoint;
  const isPodHere = endpoint.startsWith('10.244.1.') || endpoint.startsWith('fd00:244:1:');
  if (isPodHere) return bridge[family];
  return family === 'IPv4' ? '192.168.10.11' : 'fd00:10::11';
}
