// Who asks which of the example Services, and who must answer. In: a lab whose node runs Sluice with
// manifests/examples/services.yaml. Out: what was seen, a row an asker and Service.
import type { Try } from './agent/protocol.ts';
import type { Lab } from './lab.ts';
import { type Host, nodes, outside, type PodHost } from './topology.ts';

/** What an address of a Service is. */
export type AddressKind = 'ClusterIP' | 'NodePort' | 'LoadBalancer';

/** One asker and one Service address, with what must come back. */
export type Question = {
  readonly from: Host;
  readonly service: string;
  readonly kind: AddressKind;
  readonly address: string;
  readonly port: number;
  readonly protocol: 'tcp' | 'udp';
  /** The pods that must all answer, and no other; none: every connection must be refused. */
  readonly expected: readonly PodHost[];
  /** The one source address that all of them must see; left out where any will do. */
  readonly source?: string;
};

/** What a question met. */
export type Finding = {
  readonly question: Question;
  /** How many answers came from whom, by name; `refused` and `timeout` are counted like pods. */
  readonly answers: Readonly<Record<string, number>>;
  /** The source addresses that pods saw. */
  readonly sources: readonly string[];
  readonly isAsExpected: boolean;
};

type Asked = Omit<Question, 'from' | 'expected' | 'source'>;

/** All addresses of one port of a Service; its node port is asked for on n1. */
function addressesOf(service: string, ports: Ports): readonly [Asked, Asked, Asked] {
  const { clusterIp, nodePort, loadBalancer } = ports;
  const common = { service, protocol: 'tcp' } as const;
  return [
    { ...common, kind: 'ClusterIP', address: clusterIp, port: 80 },
    { ...common, kind: 'NodePort', address: nodes[0].lan.ipv4, port: nodePort },
    { ...common, kind: 'LoadBalancer', address: loadBalancer, port: 80 },
  ];
}

type Ports = {
  readonly clusterIp: string;
  readonly nodePort: number;
  readonly loadBalancer: string;
};

const everybody = ['p13', 'n1', 'ext'] as const;

function askedBy(
  askers: readonly Host[],
  asked: Asked,
  expected: readonly PodHost[],
): readonly Question[] {
  return askers.map((from) => ({ from, ...asked, expected }));
}

const web = { clusterIp: '10.96.0.10', nodePort: 30080, loadBalancer: '203.0.113.10' };
const near = { clusterIp: '10.96.0.11', nodePort: 30081, loadBalancer: '203.0.113.11' };
const [nearCluster, ...nearExternal] = addressesOf('near', near);
const clusterIp = { kind: 'ClusterIP', port: 80, protocol: 'tcp' } as const;
const dns = {
  ...clusterIp,
  service: 'dns',
  address: '10.96.0.53',
  port: 53,
  protocol: 'udp',
} as const;
const self = { ...clusterIp, service: 'self', address: '10.96.0.20' };
const empty = { ...clusterIp, service: 'empty', address: '10.96.0.30' };
const six = { ...clusterIp, service: 'six', address: 'fd00:96::60' };

/** Every question of the demonstration: from a pod, from the node, from outside. */
export const questions: readonly Question[] = [
  ...addressesOf('web', web).flatMap((one) => askedBy(everybody, one, ['p11', 'p12', 'p21'])),
  ...askedBy(['p13', 'n1'], nearCluster, ['p11', 'p12', 'p21']),
  ...nearExternal.flatMap((one): readonly Question[] => [
    ...askedBy(['p13', 'n1'], one, ['p11', 'p12', 'p21']),
    { from: 'ext', ...one, expected: ['p11', 'p12'], source: outside.ipv4 },
  ]),
  ...askedBy(everybody, dns, ['p12', 'p21']),
  ...askedBy(['p11'], self, ['p11']),
  ...askedBy(everybody, empty, []),
  ...askedBy(everybody, six, ['p11', 'p22']),
];

const triesPerRound = 6;
// A pod of three that is asked fairly stays unmet in 48 tries less than once in 10^8 runs.
const mostRounds = 8;

/** Asks in rounds until every expected pod has answered, or the rounds are over. */
export async function ask(lab: Lab, question: Question): Promise<Finding> {
  const tries: Try[] = [];
  for (let round = 0; round < mostRounds; round += 1) {
    tries.push(...(await askRound(lab, question)));
    const finding = findingOf(question, tries);
    const missing = question.expected.some((pod) => finding.answers[pod] === undefined);
    const isSpoilt = Object.keys(finding.answers).length > question.expected.length;
    if (!missing || isSpoilt) return finding;
  }
  return findingOf(question, tries);
}

/** Counts what the tries of one question met, and judges it. */
export function findingOf(question: Question, tries: readonly Try[]): Finding {
  const answers: Record<string, number> = {};
  for (const met of tries) {
    const name = met.result === 'ok' ? met.name : met.result;
    answers[name] = (answers[name] ?? 0) + 1;
  }
  const expected: readonly string[] =
    question.expected.length === 0 ? ['refused'] : question.expected;
  const seen = tries.flatMap((met) => (met.result === 'ok' ? [met.source] : []));
  const sources = [...new Set(seen)].toSorted();
  return {
    question,
    answers,
    sources,
    isAsExpected:
      Object.keys(answers).length === expected.length &&
      expected.every((name) => answers[name] !== undefined) &&
      sources.every((source) => source === (question.source ?? source)),
  };
}

async function askRound(lab: Lab, question: Question): Promise<readonly Try[]> {
  const { from, address, port, protocol } = question;
  if (protocol === 'udp') {
    return lab.probe({ from, to: address, port, protocol, tries: triesPerRound });
  }
  return Promise.all(Array.from({ length: triesPerRound }, () => curl(lab, question)));
}

const curlRefused = [7, 52, 56];
const curlTimeout = 28;

async function curl(lab: Lab, { from, address, port }: Question): Promise<Try> {
  const host = address.includes(':') ? `[${address}]` : address;
  const { stdout, exitCode } = await lab.exec(
    from,
    ['curl', '-s', '-g', '--max-time', '2', `http://${host}:${port}/`],
    { allowedExitCodes: [...curlRefused, curlTimeout] },
  );
  if (exitCode === curlTimeout) return { result: 'timeout' };
  if (exitCode !== 0) return { result: 'refused' };
  const { name, source }: { name: string; source: string } = JSON.parse(stdout);
  return { result: 'ok', name, source };
}
