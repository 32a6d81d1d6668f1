// Connects to every Service address from this node, and compares the result with what the rules say.
import { openAddress, sourceTowards, type Met } from '../../host/network/open-address.ts';
import type { Config } from '../../model/config.ts';
import type { Endpoint, Frontend } from '../../model/forwarding.ts';
import { hostPort } from '../../model/forwarding.ts';
import type { Family, Ip } from '../../model/ip.ts';
import type { ClusterObject, Protocol, ServiceKey } from '../../model/kubernetes.ts';
import type { FamilySettings } from '../../model/settings.ts';
import { takesNodePorts } from '../../model/settings.ts';
import type { Ruleset } from '../../netfilter/trace.ts';
import { trace } from '../../netfilter/trace.ts';
import { rulesetOf } from '../../sync/offline.ts';

/** What the model expects of a connection from this node. */
export type Said = 'answers' | 'refused' | 'dropped';

/** One Service address that was tried. */
export type Probe = {
  readonly family: Family;
  readonly service: ServiceKey;
  readonly portName: string;
  readonly ip: Ip;
  readonly port: number;
  readonly protocol: Protocol;
  readonly said: Said;
  /** Undefined if it was not tried: because of its protocol, or because time ran out. */
  readonly met: Met | undefined;
  readonly judgement: 'true' | 'false' | 'unknown';
  /** If it did not answer: the endpoints that do not answer either when they are tried directly. */
  readonly deadEndpoints: readonly string[];
};

export type ProbeInputs = {
  readonly families: readonly {
    readonly family: Family;
    readonly settings: FamilySettings;
    readonly frontends: readonly Frontend[];
  }[];
  readonly objects: readonly ClusterObject[];
  readonly config: Config;
  readonly hostIps: readonly Ip[];
  readonly signal: AbortSignal;
};

const atOnce = 64;
const timeoutMs = 2000;
/** Addresses that are not tried by then are left out. */
const longestMs = 5 * 60_000;
const mostEndpoints = 8;

/** Tries all of them, many at once. */
export async function probeServices(inputs: ProbeInputs): Promise<readonly Probe[]> {
  const targets = inputs.families.flatMap((one) => {
    const rules = rulesOf(inputs, one.family);
    return one.frontends.flatMap((frontend) => targetsOf(frontend, one, { rules, inputs }));
  });
  const ending = new AbortController();
  const end = (): void => ending.abort();
  const timer = setTimeout(end, longestMs);
  inputs.signal.addEventListener('abort', end, { once: true });
  const probes = Array.from<Probe | undefined>({ length: targets.length });
  const left = targets.entries();
  const worker = async (): Promise<void> => {
    for (const [index, target] of left) probes[index] = await probe(target, ending.signal);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  clearTimeout(timer);
  return probes.flatMap((one) => one ?? []);
}

type Target = Pick<Probe, 'family' | 'service' | 'portName' | 'ip' | 'port' | 'protocol'> & {
  /** The rules of this Service only: no other rule concerns its addresses. */
  readonly rules: Ruleset;
};

function rulesOf(
  { objects, config, hostIps }: ProbeInputs,
  family: Family,
): (service: ServiceKey) => Ruleset {
  const { parts, services } = rulesetOf(objects, { config, family, hostIps });
  const known = Map.groupBy(services, ({ service }) => service);
  return (service) => ({ parts, services: known.get(service) ?? [], hostIps });
}

type Around = {
  readonly rules: (service: ServiceKey) => Ruleset;
  readonly inputs: Pick<ProbeInputs, 'hostIps'>;
};

function targetsOf(
  { address, service, portName }: Frontend,
  { family, settings }: { readonly family: Family; readonly settings: FamilySettings },
  { rules, inputs: { hostIps } }: Around,
): readonly Target[] {
  const { protocol, port } = address;
  const common = { family, service, portName, protocol, port, rules: rules(service) };
  if (address.ip !== undefined) return [{ ...common, ip: address.ip }];
  const ip = nodePortIp(settings, family, hostIps);
  return ip === undefined ? [] : [{ ...common, ip }];
}

// Any one will do: the rules do not distinguish between them.
function nodePortIp(
  { nodePorts }: FamilySettings,
  family: Family,
  hostIps: readonly Ip[],
): Ip | undefined {
  return hostIps.find(
    (ip) =>
      ip.includes(':') === (family === 'IPv6') &&
      !/^(127\.|::1$|fe80:)/.test(ip) &&
      takesNodePorts(nodePorts, ip, hostIps),
  );
}

async function probe({ rules, ...target }: Target, signal: AbortSignal): Promise<Probe> {
  const { ip, port, protocol } = target;
  const { said, endpoints } = await saidOf({ rules, ...target });
  const untried = { ...target, said, met: undefined, deadEndpoints: [] };
  if (protocol === 'sctp' || signal.aborted) return { ...untried, judgement: 'unknown' };
  const met = await openAddress({ protocol, ip, port, timeoutMs, signal });
  if (signal.aborted) return { ...untried, judgement: 'unknown' };
  const judgement = judge(said, met, protocol);
  const isDead = judgement === 'false' && said === 'answers' && met !== 'answered';
  const deadEndpoints = isDead ? await deadAmong(endpoints, protocol, signal) : [];
  return { ...target, said, met, judgement, deadEndpoints };
}

async function saidOf({ rules, ip, port, protocol }: Target) {
  const source = (await sourceTowards(ip)) ?? ip;
  const packet = {
    origin: 'node',
    interface: '',
    source,
    destination: ip,
    protocol,
    port,
  } as const;
  const outcomes = trace(rules, packet);
  const endpoints = outcomes.flatMap(({ endpoint }) => endpoint ?? []);
  const verdicts = new Set(outcomes.map(({ verdict }) => verdict));
  const refused = verdicts.has('rejected') ? 'refused' : 'answers';
  const said: Said = verdicts.has('dropped') ? 'dropped' : refused;
  return { said, endpoints };
}

const mets: Readonly<Record<Said, Met>> = {
  answers: 'answered',
  refused: 'refused',
  dropped: 'silent',
};

// A UDP server need not answer an empty datagram; a reply or a refusal is conclusive, silence is not.
function judge(said: Said, met: Met, protocol: 'tcp' | 'udp'): Probe['judgement'] {
  if (met === mets[said]) return 'true';
  return protocol === 'udp' && said === 'answers' && met === 'silent' ? 'unknown' : 'false';
}

async function deadAmong(
  endpoints: readonly Endpoint[],
  protocol: 'tcp' | 'udp',
  signal: AbortSignal,
): Promise<readonly string[]> {
  const met = await Promise.all(
    endpoints.slice(0, mostEndpoints).map(async ({ ip, port }) => ({
      name: hostPort(ip, port),
      met: await openAddress({ protocol, ip, port, timeoutMs, signal }),
    })),
  );
  return met.filter((one) => one.met !== 'answered').map(({ name }) => name);
}
