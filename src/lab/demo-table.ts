// Findings of the demonstration as a table for people. In: findings, and the stream they are for, which
// decides about colour. Out: text.
import { styleText } from 'node:util';
import type { Finding, Question } from './demo.ts';

const heads = ['FROM', 'SERVICE', 'KIND', 'ADDRESS', 'ANSWERED BY', 'SOURCE SEEN', ''] as const;

/** The table, a line a finding; OK and NOT are coloured where the stream is a terminal that wants it. */
export function demoTable(findings: readonly Finding[], stream: NodeJS.WritableStream): string {
  const rows = findings.map(cellsOf);
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...rows.map((cells) => cells[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
  const paint = (format: 'bold' | 'green' | 'red', text: string): string =>
    styleText(format, text, { stream, validateStream: true });
  const body = findings.map((finding, index) => {
    const text = line(rows[index] ?? []);
    return finding.isAsExpected
      ? text + paint('green', 'OK')
      : `${text}${paint('red', 'NOT')} ${wanted(finding.question)}`;
  });
  return [paint('bold', line(heads).trimEnd()), ...body].map((text) => `${text}\n`).join('');
}

function cellsOf({ question, answers, sources }: Finding): readonly string[] {
  const { from, service, kind, address, port, protocol } = question;
  const host = address.includes(':') ? `[${address}]` : address;
  const counted = Object.entries(answers)
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, count]) => `${name} ${count}x`);
  const seen = sources.length === 0 ? '-' : sources.join(', ');
  return [from, service, kind, `${protocol} ${host}:${port}`, counted.join(', '), seen, ''];
}

function wanted({ expected, source }: Question): string {
  const names = expected.length === 0 ? 'a refusal' : expected.join(', ');
  return `(expected ${names}${source === undefined ? '' : ` to see ${source}`})`;
}
