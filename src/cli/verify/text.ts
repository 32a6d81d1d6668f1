// What `sluice verify` found, in words: first what is wrong, then what it comes to.
import { printable } from '../../cluster/problem.ts';
import type { ServiceFinding, UnitFinding } from '../../diff/kernel-findings.ts';
import type { ServiceChange } from '../../diff/service-change.ts';
import { hostPort } from '../../model/forwarding.ts';
import type { Family } from '../../model/ip.ts';
import { changeWords, counted, listed } from '../report/change-words.ts';
import type { Paint } from '../report/print-plan.ts';
import type { Shown } from '../report/print-report.ts';
import type { Probe } from './probe.ts';

/** All that was found. */
export type Verification = {
  /** How many units each kernel must hold. */
  readonly families: readonly { readonly family: Family; readonly units: number }[];
  readonly findings: readonly ServiceFinding[];
  /** What that does to clients: from how it must be to how it is. */
  readonly effects: readonly ServiceChange[];
  /** Undefined where nothing was opened. */
  readonly probes: readonly Probe[] | undefined;
};

/** Whether nothing differs. */
export function isTrue({ findings, probes = [] }: Verification): boolean {
  return findings.length === 0 && probes.every(({ judgement }) => judgement !== 'false');
}

// A screen each: of a kernel that was flushed nobody reads more.
const mostServices = 20;
const mostUnits = 5;

/** The findings as people read them. */
export function verificationText(found: Verification, shown: Shown, paint: Paint): string {
  const most = shown.all ? Number.POSITIVE_INFINITY : mostServices;
  const { findings, effects } = found;
  const lines = findings.slice(0, most).flatMap((finding) => {
    const effect = effects.filter(({ service }) => service === finding.service);
    return findingLines(finding, effect, { shown, paint });
  });
  const left = findings.length - most;
  const more = left > 0 ? [`${counted(left, 'Service')} more (--all)`] : [];
  return [...lines, ...more, ...probeLines(found, most, paint), ...summaryLines(found), ''].join(
    '\n',
  );
}

function findingLines(
  { service, units }: ServiceFinding,
  effects: readonly ServiceChange[],
  { shown, paint }: { readonly shown: Shown; readonly paint: Paint },
): readonly string[] {
  const name = service === '' ? 'what all Services share' : printable(service);
  const most = shown.all || shown.rules ? units.length : mostUnits;
  const more = units.length > most ? [`  and ${units.length - most} more (--all)`] : [];
  return [
    paint('bold', name),
    // The rules differ, and what clients meet with them.
    ...effects.flatMap((effect) =>
      changeWords(effect, undefined).map((words) => `  so now ${words}`),
    ),
    ...units.slice(0, most).flatMap((unit) => unitLines(unit, shown.rules, paint)),
    ...more,
  ];
}

const signs = { missing: 'red', changed: 'yellow', foreign: 'yellow' } as const;
const wrongWords = { missing: 'missing', changed: 'changed by hand', foreign: 'foreign' } as const;

function unitLines(unit: UnitFinding, withRules: boolean, paint: Paint): readonly string[] {
  const { family, wrong, kind, id, is, mustBe } = unit;
  const name = id.startsWith(`${kind} `) || kind === 'table' ? id : `${kind} ${id}`;
  const head = `  ${paint(signs[wrong], wrongWords[wrong])}: ${family} ${printable(name)}`;
  if (!withRules) return [head];
  const block = (title: string, text: string | undefined): readonly string[] =>
    text === undefined
      ? []
      : [`    ${title}:`, ...text.split('\n').map((line) => `      ${printable(line)}`)];
  return [head, ...block('is', is), ...block('must be', mustBe)];
}

function probeLines({ probes = [] }: Verification, most: number, paint: Paint): readonly string[] {
  const wrong = probes.filter(({ judgement }) => judgement === 'false');
  const lines = wrong.slice(0, most).map((probe) => {
    const word = paint('red', 'not as it must be');
    return `${word}: ${probeText(probe)}`;
  });
  return wrong.length > most
    ? [...lines, `${counted(wrong.length - most, 'address')} more (--all)`]
    : lines;
}

const saidWords = { answers: 'an answer', refused: 'a refusal', dropped: 'silence' } as const;
const metWords = {
  answered: 'it answers',
  refused: 'it is refused',
  unreachable: 'there is no way to it',
  silent: 'it stays silent',
} as const;

/** One address, in a line. */
export function probeText(probe: Probe): string {
  const { service, portName, ip, port, protocol, said, met, deadEndpoints } = probe;
  const of = printable(portName === '' ? service : `${service} ${portName}`);
  const at = `${hostPort(ip, port)}/${protocol}`;
  const meets = met === undefined ? 'it was not tried' : metWords[met];
  const why =
    deadEndpoints.length === 0
      ? ''
      : `; nor ${deadEndpoints.length === 1 ? 'does endpoint' : 'do endpoints'} ${listed(deadEndpoints)} answer this node: look at the pod, or the pod network`;
  return `${of} at ${at}: ${saidWords[said]} is due, ${meets}${why}`;
}

function summaryLines({ families, findings, probes }: Verification): readonly string[] {
  const units = findings.flatMap((finding) => finding.units);
  const rules = families.map(({ family, units: all }) => {
    const wrong = units.filter((unit) => unit.family === family);
    if (wrong.length === 0) return `${family}: all ${all} as they must be`;
    const count = (name: UnitFinding['wrong']): number =>
      wrong.filter((unit) => unit.wrong === name).length;
    return `${family}: ${count('missing')} missing, ${count('changed')} changed by hand, ${count('foreign')} foreign, of ${all}`;
  });
  return [rules.join('; '), ...(probes === undefined ? [] : [probeSummary(probes)])];
}

function probeSummary(probes: readonly Probe[]): string {
  const count = (wanted: Probe['judgement']): number =>
    probes.filter(({ judgement }) => judgement === wanted).length;
  const untried = probes.filter(({ met }) => met === undefined).length;
  const parts = [
    `${count('true')} of ${probes.length} addresses as they must be`,
    ...(count('false') === 0 ? [] : [`${count('false')} not`]),
    ...(count('unknown') - untried === 0
      ? []
      : [`${count('unknown') - untried} over UDP without an answer, which says nothing`]),
    ...(untried === 0 ? [] : [`${untried} not tried`]),
  ];
  return `opened from this node: ${parts.join(', ')}`;
}

/** The same as one JSON document, for programs. */
export function verificationJson(found: Verification): string {
  const { families, findings, effects, probes } = found;
  const document = {
    isTrue: isTrue(found),
    families,
    findings: findings.map(({ service, units }) => ({
      service: service || null,
      effects: effects
        .filter((effect) => effect.service === service)
        .flatMap((effect) => changeWords(effect, undefined)),
      units: units.map(({ is = null, mustBe = null, ...unit }) => ({ ...unit, is, mustBe })),
    })),
    probes:
      probes?.map(({ met = null, ...probe }) => ({
        ...probe,
        met,
        words: probeText({ ...probe, met: met ?? undefined }),
      })) ?? null,
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}
