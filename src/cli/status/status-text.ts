// What a daemon reports of itself, for people.
import { conflictText } from '../../model/reason.ts';
import { printable } from '../../cluster/problem.ts';
import type { DaemonStatus, FamilyState, StatusSource } from '../../model/daemon-status.ts';
import type { FamilyRecord, PassRecord } from '../../model/pass-record.ts';
import { askedWords, changesWords, namedWords, planWords } from '../report/pass-words.ts';
import type { Paint } from '../report/print-plan.ts';
import type { Screen } from '../report/screen.ts';
import { spanText, tableLines, type Cell } from '../report/table.ts';
import { wrapBelow } from '../report/wrap.ts';

type Width = Pick<Screen, 'paint' | 'columns'>;

/** All of it, on a screen where there is little trouble; no line is wider than the screen. */
export function statusText(status: DaemonStatus, screen: Width): string {
  const sections = [
    headLines(status, screen),
    troubleLines(status, screen),
    problemLines(status, screen),
    familyLines(status, screen),
    quarantineLines(status, screen),
    conflictLines(status, screen),
    passLines(status, screen),
  ];
  const filled = sections.filter((lines) => lines.length > 0);
  return `${filled.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function headLines(status: DaemonStatus, { paint, columns }: Width): readonly string[] {
  const { sluice, node, mode, tools, kernel, startedAtMs, nowMs, memoryBytes, source } = status;
  const name = printable(`Sluice ${sluice} on ${node}`);
  const title = `${name}: ${printable(mode)} mode, running for ${spanText(nowMs - startedAtMs)}`;
  const rows = [
    ...tools.map((tool, index) => [index === 0 ? 'tools' : '', printable(tool)] as const),
    ['kernel', printable(kernel)] as const,
    ['memory', `${Math.round(memoryBytes / 1e6)} MB`] as const,
    ['objects', sourceText(source, nowMs, paint)] as const,
  ];
  return [
    ...wrapBelow(title, columns).map((line) => line.replace(name, paint('bold', name))),
    ...rows.flatMap(([title, text]) => wrapBelow(`  ${title.padEnd(8)} ${text}`, columns, 11)),
  ];
}

function sourceText(source: StatusSource, nowMs: number, paint: Paint): string {
  if (source.kind === 'manifests') return `manifests at ${printable(source.path)}`;
  const { reach } = source;
  if (reach === undefined) return paint('yellow', 'API server: nothing was heard of it yet');
  const since = spanText(nowMs - reach.sinceMs);
  return reach.isConnected
    ? `API server, connected for ${since}`
    : paint('red', `API server: not heard for ${since}; the rules stay`);
}

function troubleLines({ troubles }: DaemonStatus, { paint, columns }: Width): readonly string[] {
  if (troubles.length === 0) return [];
  const lines = troubles.flatMap(({ note }) => wrapBelow(`  ${printable(note)}`, columns));
  return [paint('red', 'wrong with this node'), ...lines];
}

function problemLines({ source }: DaemonStatus, { paint, columns }: Width): readonly string[] {
  const { count, first } = source.problems ?? { count: 0, first: [] };
  if (count === 0) return [];
  const what = source.kind === 'manifests' ? 'manifests' : 'objects';
  const title = `${what} that cannot be used: what was good before is kept`;
  const lines = first.flatMap((line) => wrapBelow(`  ${printable(line)}`, columns));
  return [paint('red', title), ...lines, ...moreLine(count - first.length)];
}

function familyLines({ families }: DaemonStatus, screen: Width): readonly string[] {
  if (families.length === 0) return [screen.paint('yellow', 'no rules yet')];
  const head = ['FAMILY', 'STATE', 'IN STEP', 'SERVICES', 'ADDRESSES', 'ENDPOINTS'];
  const rows = families.map((family): readonly Cell[] => [
    family.family,
    stateCell(family),
    `${spanText(family.sinceUpdateMs)} ago`,
    String(family.services),
    String(family.frontends),
    String(family.endpoints),
    countCell(family.quarantined.count),
    countCell(family.conflicts.count),
  ]);
  return tableLines([...head, 'QUARANTINED', 'CONFLICTS'], rows, screen);
}

function stateCell({ isHealthy, error }: FamilyState): Cell {
  if (error !== undefined) return { text: 'failing', style: 'red' };
  return isHealthy ? { text: 'healthy', style: 'green' } : { text: 'behind', style: 'red' };
}

function countCell(count: number): Cell {
  return count === 0 ? '0' : { text: String(count), style: 'yellow' };
}

function quarantineLines({ families }: DaemonStatus, { paint, columns }: Width): readonly string[] {
  const lines = families.flatMap(({ family, quarantined: { count, first } }) => [
    ...first.flatMap(({ service, why }) =>
      wrapBelow(`  ${family} ${printable(service)}: ${printable(why)}`, columns),
    ),
    ...moreLine(count - first.length),
  ]);
  if (lines.length === 0) return [];
  return [paint('yellow', 'quarantined Services, with their last good rules'), ...lines];
}

function conflictLines({ families }: DaemonStatus, { paint, columns }: Width): readonly string[] {
  const lines = families.flatMap(({ family, conflicts: { count, first } }) => [
    ...first.flatMap(({ service, address, winner, reason }) => {
      const why = printable(conflictText(winner, reason));
      return wrapBelow(`  ${family} ${printable(service)}: ${printable(address)}: ${why}`, columns);
    }),
    ...moreLine(count - first.length),
  ]);
  if (lines.length === 0) return [];
  return [paint('yellow', 'conflicts: addresses that another Service has'), ...lines];
}

function moreLine(more: number): readonly string[] {
  return more > 0 ? [`  and ${more} more`] : [];
}

function passLines({ passes, nowMs }: DaemonStatus, screen: Width): readonly string[] {
  if (passes.count === 0) return [];
  const rows = passes.last.flatMap((pass) => pass.families.map((one) => passRow(pass, one, nowMs)));
  const head = ['PASS', 'ENDED', 'FAMILY', 'ASKED BY', 'RULES', 'MS', 'CHANGED', 'SERVICES'];
  return tableLines(head, rows, screen);
}

function passRow(pass: PassRecord, family: FamilyRecord, nowMs: number): readonly Cell[] {
  const { error, services, durationMs } = family;
  return [
    String(pass.number),
    `${spanText(nowMs - pass.atMs)} ago`,
    family.family,
    askedWords(pass),
    error === undefined ? planWords(family.plan) : { text: 'failed', style: 'red' },
    durationMs.toFixed(1),
    changesWords(pass),
    error === undefined ? namedWords(services) : { text: printable(error), style: 'red' },
  ];
}
