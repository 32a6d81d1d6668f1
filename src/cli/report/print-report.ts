// A difference for people and for programs: what happens to each Service in words, the rules where they
// are asked for, and what it all comes to.
import { printable } from '../../cluster/problem.ts';
import type { ServiceChange } from '../../diff/service-change.ts';
import { countSteps, unitOf, type Op } from '../../netfilter/plan.ts';
import { changeWords, counted, listed } from './change-words.ts';
import type { Report } from './plan-report.ts';
import { refusalText } from '../../diff/refusal-text.ts';
import { flowCounter, isInStep } from './plan-report.ts';
import {
  nodeChangeLines,
  nodeChangesJson,
  nodeChangeSections,
  rulesRemoved,
} from './node-changes-text.ts';
import type { Paint } from './print-plan.ts';
import { operationsOf, ownerOf, planSections } from './print-plan.ts';

/** How much is shown. */
export type Shown = {
  /** The rules behind the words. */
  readonly rules: boolean;
  /** All Services, however many there are. */
  readonly all: boolean;
};

// A screen: of a first start with thousands of Services nobody reads more.
const mostNamed = 20;

/** The report as people read it; '' where there is nothing to do. */
export function reportText(report: Report, { rules, all }: Shown, paint: Paint): string {
  if (isInStep(report)) return '';
  const ops = opsOf(report);
  const most = all ? Number.POSITIVE_INFINITY : mostNamed;
  const lines = [
    ...(['removed', 'changed', 'added'] as const).flatMap((change) =>
      serviceLines(report, change, { most, paint }),
    ),
    ...rulesOnlyLines(report, ops, paint),
    ...sharedLines(ops, paint),
    ...nodeLines(report, paint),
  ];
  const details = rules ? detailsOf(report, paint) : [];
  return [...lines, '', ...details, summaryText(report), ''].join('\n');
}

function detailsOf({ plans, node }: Report, paint: Paint): readonly string[] {
  const theirs = node === undefined ? '' : nodeChangeSections(node, paint);
  return [planSections(plans, paint), theirs].filter((text) => text !== '');
}

function nodeLines({ node }: Report, paint: Paint): readonly string[] {
  if (node === undefined) return [];
  return nodeChangeLines(node).map(([sign, words]) => line(sign, words, paint));
}

const signs = { added: '+', changed: '~', removed: '-' } as const;
const colours = { '+': 'green', '~': 'yellow', '-': 'red' } as const;

function line(sign: keyof typeof colours, words: string, paint: Paint): string {
  const [, name = '', rest = ''] = /^([^:]*)(:.*)$/s.exec(words) ?? ['', words, ''];
  return `${paint(colours[sign], sign)} ${paint('bold', name)}${rest}`;
}

function serviceLines(
  report: Report,
  kind: ServiceChange['change'],
  { most, paint }: { readonly most: number; readonly paint: Paint },
): readonly string[] {
  const all = report.changes.filter(({ change }) => change === kind);
  const flows = flowCounter(report);
  // One that stands alone behind the last is named as well.
  const shown = all.length === most + 1 ? all : all.slice(0, most);
  const lines = shown.flatMap((change) =>
    changeWords(change, flows).map((words) => line(signs[kind], words, paint)),
  );
  const left = all.length - shown.length;
  if (left === 0) return lines;
  return [...lines, `${paint(colours[signs[kind]], signs[kind])} ${left} more ${kind} (--all)`];
}

function opsOf({ plans }: Report): readonly Op[] {
  return plans.flatMap(({ plan }) => plan);
}

/** What of the rules belongs to no Service, kind by kind. */
function sharedLines(ops: readonly Op[], paint: Paint): readonly string[] {
  const shared = ops.filter((op) => ownerOf(op) === '');
  if (shared.length === 0) return [];
  const done = (['create', 'replace', 'delete'] as const).flatMap((name) => {
    const kinds = Map.groupBy(
      shared.filter(({ op }) => op === name),
      (op) => unitOf(op).kind,
    );
    const parts = [...kinds].map(([kind, found]) => counted(found.length, kind));
    return parts.length === 0 ? [] : [`${listed(parts)} ${verbs[name]}`];
  });
  const [first] = shared;
  const isAllAlike = first !== undefined && shared.every(({ op }) => op === first.op);
  const sign = isAllAlike ? opSigns[first.op] : '~';
  return [line(sign, `what all Services share: ${done.join('; ')}`, paint)];
}

const verbs = { create: 'added', replace: 'changed', delete: 'removed' } as const;
const opSigns = { create: '+', replace: '~', delete: '-' } as const;

/** Services whose rules change although nobody would notice. */
function rulesOnlyLines({ changes }: Report, ops: readonly Op[], paint: Paint): readonly string[] {
  const reported = new Set<string>(changes.map(({ service }) => service));
  const owners = new Set(ops.map(ownerOf).filter((owner) => owner !== '' && !reported.has(owner)));
  if (owners.size === 0) return [];
  const names = listed([...owners].toSorted().map(printable));
  return [line('~', `${names}: rules change, addresses and endpoints stay`, paint)];
}

/** What it all comes to. */
type Summary = {
  readonly services: Readonly<Record<ServiceChange['change'], number>>;
  readonly endpoints: { readonly added: number; readonly removed: number };
  readonly conntrackEntries: number | null;
  readonly rules: { readonly add: number; readonly change: number; readonly remove: number };
  readonly settings: number | null;
  readonly files: number | null;
};

function summaryOf(report: Report): Summary {
  const { changes, flows, node } = report;
  const ops = opsOf(report);
  const services = (kind: ServiceChange['change']): number =>
    changes.filter(({ change }) => change === kind).length;
  const endpoints = (op: 'added' | 'removed'): number =>
    changes.reduce((sum, change) => sum + change.endpoints[op], 0);
  const rules = countSteps(ops);
  const going = flows === undefined ? null : [...flows.values()].reduce((a, b) => a + b, 0);
  return {
    services: {
      added: services('added'),
      changed: services('changed'),
      removed: services('removed'),
    },
    endpoints: { added: endpoints('added'), removed: endpoints('removed') },
    conntrackEntries: going,
    rules: {
      add: rules.create,
      change: rules.replace,
      remove: rules.delete + (node === undefined ? 0 : rulesRemoved(node)),
    },
    settings: node?.settings.length ?? null,
    files: node?.files.length ?? null,
  };
}

function summaryText(report: Report): string {
  const { services, endpoints, conntrackEntries, rules, settings, files } = summaryOf(report);
  const some = (name: string, count: number | null, verb: string): readonly string[] =>
    count === null || count === 0 ? [] : [`${name}: ${count} ${verb}`];
  const parts = [
    `Services: ${services.added} added, ${services.changed} changed, ${services.removed} removed`,
    `endpoints: ${endpoints.added} added, ${endpoints.removed} removed`,
    `rules: ${rules.add} to add, ${rules.change} to change, ${rules.remove} to remove`,
    ...some('conntrack entries', conntrackEntries, 'to remove'),
    ...some('settings', settings, 'to change'),
    ...some('files', files, 'to write'),
  ];
  return parts.join('; ');
}

/** The report as one JSON document, for programs. */
export function reportJson(report: Report): string {
  const { plans, changes, flows, refused, node } = report;
  const count = flowCounter(report);
  const operations = operationsOf(plans);
  const document = {
    inStep: isInStep(report),
    summary: summaryOf(report),
    services: changes.map((change) => ({
      ...change,
      conntrackEntries: flows === undefined ? null : (count?.(change.addresses) ?? 0),
      words: changeWords(change, count),
    })),
    refused: refused.map((refusal) => ({ ...refusal, words: printable(refusalText(refusal)) })),
    operations,
    node: node === undefined ? null : nodeChangesJson(node),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}
