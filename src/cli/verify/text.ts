// What `sluice verify` found, in words: first what is wrong, then a summary.
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
  /** How many units are expected per family. */
  readonly families: readonly { readonly family: Family; readonly units: number }[];
  readonly findings: readonly ServiceFinding[];
  /** What that does to clients: the change from the expected rules to those in the kernel. */
  readonly effects: readonly ServiceChange[];
  /** Undefined where no address was tried. */
  readonly probes: readonly Probe[] | undefined;
};

/** Whether nothing differs. */
export function isTrue({ findings, probes = [] }: Verification): boolean {
  return findings.length === 0 && probes.every(({ judgement }) => judgement !== 'false');
}

// A screen each: nobody reads more of a kernel that was flushed.
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
    ...effects.flatMap((effect) =>
      changeWords(effect, undefined).map((words) => `  effect: ${words}`),
    ),
    ...units.slice(0, most).flatMap((unit) => unitLines(unit, shown.rules, paint)),
    ...more,
  ];
}

const signs = { missing: 'red', changed: 'yellow', foreign: 'yellow' } as const;
const wrongWords = { missing: 'missing', changed: 'changed', foreign: 'foreign' } as const;

function unitLines(unit: UnitFinding, withRules: boolean, paint: Paint): readonly string[] {
  const { family, wrong, kind, id, is, desired } = unit;
  const name = id.startsWith(`${kind} `) || kind === 'table' ? id : `${kind} ${id}`;
  const head = `  ${paint(signs[wrong], wrongWords[wrong])}: ${family} ${printable(name)}`;
  if (!withRules) return [head];
  const block = (title: string, text: string | undefined): readonly string[] =>
    text === undefined
      ? []
      : [`    ${title}:`, ...text.split('\n').map((line) => `      ${printable(line)}`)];
  return [head, ...block('is', is), ...block('expected', desired)];
}

function probeLines({ probes = [] }: Verification, most: number, paint: Paint): readonly string[] {
  const wrong = probes.filter(({ judgement }) => judgement === 'false');
  const lines = wrong.slice(0, most).map((probe) => {
    return `${paint('red', 'failed')}: ${probeText(probe)}`;
  });
  return wrong.length > most
    ? [...lines, `${counted(wrong.length - most, 'address')} more (--all)`]
    : lines;
}

const saidWords = {
  answers: 'an answer',
  refused: '"connection refused"',
  dropped: 'no answer',
} as const;
const metWords = {
  answered: 'got an answer',
  refused: 'got "connection refused"',
  unreachable: 'found no route',
  silent: 'got no answer',
} as const;

/** One address, in a line. */
function probeText(probe: Probe): string {
  const { service, portName, ip, port, protocol, said, met, deadEndpoints } = probe;
  const of = printable(portName === '' ? service : `${service} ${portName}`);
  const at = `${hostPort(ip, port)}/${protocol}`;
  const got = met === undefined ? 'not tried' : metWords[met];
  const why =
    deadEndpoints.length === 0
      ? ''
      : `; ${listed(deadEndpoints)} ${deadEndpoints.length === 1 ? "doesn't" : "don't"} answer from this node either: check the pods or the pod network`;
  return `${of} at ${at}: expected ${saidWords[said]}, ${got}${why}`;
}

function summaryLines({ families, findings, probes }: Verification): readonly string[] {
  const units = findings.flatMap((finding) => finding.units);
  const rules = families.map(({ family, units: all }) => {
    const wrong = units.filter((unit) => unit.family === family);
    if (wrong.length === 0) return `${family}: all ${all} match`;
    const count = (name: UnitFinding['wrong']): number =>
      wrong.filter((unit) => unit.wrong === name).length;
    return `${family}: ${count('missing')} missing, ${count('changed')} changed, ${count('foreign')} foreign, of ${all}`;
  });
  return [rules.join('; '), ...(probes === undefined ? [] : [probeSummary(probes)])];
}

function probeSummary(probes: readonly Probe[]): string {
  const count = (wanted: Probe['judgement']): number =>
    probes.filter(({ judgement }) => judgement === wanted).length;
  const untried = probes.filter(({ met }) => met === undefined).length;
  const parts = [
    `${count('true')} of ${probes.length} addresses behave as expected`,
    ...(count('false') === 0 ? [] : [`${count('false')} failed`]),
    ...(count('unknown') - untried === 0
      ? []
      : [`${count('unknown') - untried} inconclusive (UDP without an answer)`]),
    ...(untried === 0 ? [] : [`${untried} not tried`]),
  ];
  return `probed from this node: ${parts.join(', ')}`;
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
      units: units.map(({ is = null, desired = null, ...unit }) => ({ ...unit, is, desired })),
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
