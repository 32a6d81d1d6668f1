// Who asks which of the example Services, and who must answer. In: a lab whose node runs Sluice with
// manifests/examples/services.yaml. Out: what was seen, a row an asker and Service.
import type { Try } from './agent/protocol.ts';
import type { Lab } from './lab.ts';
import type { Host, PodHost } from './topology.ts';

/** One asker and one Service address, with what must come back. */
export type Question = {
  readonly from: Host;
  readonly service: string;
  readonly address: string;
  readonly port: number;
  readonly protocol: 'tcp' | 'udp';
  /** The pods that must all answer, and no other; none: every connection must be refused. */
  readonly expected: readonly PodHost[];
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

const web = { service: 'web', address: '10.96.0.10', port: 80, protocol: 'tcp' } as const;
const dns = { service: 'dns', address: '10.96.0.53', port: 53, protocol: 'udp' } as const;
const self = { service: 'self', address: '10.96.0.20', port: 80, protocol: 'tcp' } as const;
const empty = { service: 'empty', address: '10.96.0.30', port: 80, protocol: 'tcp' } as const;
const six = { service: 'six', address: 'fd00:96::60', port: 80, protocol: 'tcp' } as const;

/** Every question of the demonstration: from a pod, from the node, from outside. */
export const questions: readonly Question[] = [
  { from: 'p13', ...web, expected: ['p11', 'p12', 'p21'] },
  { from: 'n1', ...web, expected: ['p11', 'p12', 'p21'] },
  { from: 'ext', ...web, expected: ['p11', 'p12', 'p21'] },
  { from: 'p13', ...dns, expected: ['p12', 'p21'] },
  { from: 'n1', ...dns, expected: ['p12', 'p21'] },
  { from: 'ext', ...dns, expected: ['p12', 'p21'] },
  { from: 'p11', ...self, expected: ['p11'] },
  { from: 'p13', ...empty, expected: [] },
  { from: 'n1', ...empty, expected: [] },
  { from: 'ext', ...empty, expected: [] },
  { from: 'p13', ...six, expected: ['p11', 'p22'] },
  { from: 'n1', ...six, expected: ['p11', 'p22'] },
  { from: 'ext', ...six, expected: ['p11', 'p22'] },
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
  const sources = tries.flatMap((met) => (met.result === 'ok' ? [met.source] : []));
  return {
    question,
    answers,
    sources: [...new Set(sources)].toSorted(),
    isAsExpected:
      Object.keys(answers).length === expected.length &&
      expected.every((name) => answers[name] !== undefined),
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
