// Does what a probe met agree with what explain answers for its packet? In: the objects that stand, the
// probe and its tries. Out: what was met and not explained, in words; undefined is agreement. Pure.
import { decodeObject } from '../../src/cluster/decode/object.ts';
import { explain } from '../../src/explain/explain.ts';
import type { End } from '../../src/explain/explanation.ts';
import { questionOf } from '../../src/explain/question.ts';
import { worldOf } from '../../src/explain/world.ts';
import type { Try } from '../../src/lab/agent/protocol.ts';
import { nodes, outside, pods, type Dual, type Host } from '../../src/lab/topology.ts';
import type { ProxyMode } from '../../src/model/config.ts';
import { hostPort } from '../../src/model/forwarding.ts';
import { familyOf, parseIp, type Family, type Ip } from '../../src/model/ip.ts';
import type { ClusterObject } from '../../src/model/kubernetes.ts';
import { configFor } from '../support/config.ts';
import type { Probe } from './case.ts';
import { manifestObjects, type Standing } from './manifests.ts';

/** What is explained. */
export type Asked = {
  readonly standing: Standing;
  readonly mode: ProxyMode;
  readonly probe: Pick<Probe, 'from' | 'to' | 'port' | 'protocol'>;
};

/** What of the tries explain has no end for. */
export function unexplained({ standing, mode, probe }: Asked, tries: readonly Try[]) {
  const objects = manifestObjects(standing).flatMap(decoded);
  const config = configFor(mode);
  const known = { objects, asides: [], config, hostIps };
  const ip = parseIp(probe.to) as Ip;
  const protocol = probe.protocol === 'http' ? 'tcp' : probe.protocol;
  const to = `${hostPort(ip, probe.port)}/${protocol}`;
  const question = questionOf(senderOf(probe.from, familyOf(ip)), to, known);
  if (question.kind !== 'packet') return `${to} is no packet`;
  const answer = explain(
    worldOf(objects, { config, hostIps, family: familyOf(ip) }),
    question.packet,
  );
  const missed = tries.filter((met) => !answer.ends.some((end) => isMet(end, met)));
  if (missed.length === 0) return undefined;
  return `explain answers ${JSON.stringify(answer.ends)}, but not ${JSON.stringify(missed[0])}`;
}

function decoded(raw: object): readonly ClusterObject[] {
  const result = decodeObject(raw);
  return result.kind === 'object' ? [result.object] : [];
}

const [n1] = nodes;
const own = [n1.lan, n1.gateway].flatMap(addressesOf);
// Into a tunnel, what is masqueraded goes under the address of its device.
const nodeSources = [...own, ...addressesOf(n1.tunnel)];
const hostIps: readonly Ip[] = [...own, '127.0.0.1' as Ip, '::1' as Ip];

function senderOf(from: Host, family: Family): string {
  if (from === 'n1') return 'node';
  const address = from === 'ext' ? outside : pods.find(({ host }) => host === from)?.address;
  if (address === undefined) throw new Error(`nobody asks from ${from}`);
  return family === 'IPv4' ? address.ipv4 : address.ipv6;
}

function isMet({ verdict, after }: End, met: Try): boolean {
  switch (met.result) {
    case 'ok': {
      if (after === undefined || !addressesOfHost(met.name).includes(after.destination))
        return false;
      const source = parseIp(met.source) as Ip;
      return after.source === 'node' ? nodeSources.includes(source) : after.source === source;
    }
    case 'page':
      return verdict === 'untouched';
    // What the rules leave alone may be refused, or not answered, where it goes.
    case 'refused':
      return verdict === 'rejected' || verdict === 'untouched';
    case 'timeout':
      return verdict === 'dropped' || verdict === 'untouched';
  }
}

function addressesOfHost(name: string): readonly Ip[] {
  const pod = pods.find(({ host }) => host === name);
  const node = nodes.find(({ host }) => host === name);
  if (name === 'n1') return hostIps;
  return [pod?.address, node?.lan, node?.gateway].flatMap((dual) =>
    dual ? addressesOf(dual) : [],
  );
}

function addressesOf({ ipv4, ipv6 }: Dual): readonly Ip[] {
  return [ipv4, ipv6].flatMap((text) => parseIp(text) ?? []);
}
