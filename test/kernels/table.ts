// The table of the tests in virtual machines, in Markdown: a row for each kernel and proxy mode.
import type { Guest } from './guests.ts';
import { type Count, countOf, type GuestReport } from './report.ts';
import { modes, topics } from './topics.ts';

/** One guest and what its tests came to. */
export type Run = { readonly guest: Guest; readonly report: GuestReport };

/** The table, its columns aligned. */
export function kernelTable(runs: readonly Run[]): string {
  const head = ['kernel', 'tools of', 'nft', 'iptables', 'mode', ...topics];
  const rows = runs.flatMap(({ guest, report }) =>
    modes.map((mode) => [
      report.versions.kernel,
      guest.release,
      report.versions.nft,
      report.versions.iptables,
      mode,
      ...topics.map((topic) => cell(countOf(report.results, topic, mode))),
    ]),
  );
  const widths = head.map((_, column) =>
    Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)),
  );
  const rule = widths.map((width) => '-'.repeat(width));
  return [head, rule, ...rows]
    .map(
      (row) => `| ${row.map((text, column) => text.padEnd(widths[column] ?? 0)).join(' | ')} |\n`,
    )
    .join('');
}

function cell({ passed, failed }: Count): string {
  if (passed + failed === 0) return 'not run';
  return failed === 0 ? `${passed} passed` : `${passed} passed, **${failed} failed**`;
}
