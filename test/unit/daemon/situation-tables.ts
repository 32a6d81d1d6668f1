// Reads the tables of docs/operations.md, and holds what a daemon said against their cells.

/** What one column of a table says, place by place. */
export type Cells = {
  readonly log: readonly { readonly level: string; readonly text: string }[];
  readonly status: readonly string[];
  readonly exitCode: number;
  readonly metric: readonly string[];
  readonly page: readonly string[];
  readonly Event: readonly {
    readonly type: string;
    readonly reason: string;
    readonly note: string;
  }[];
};

/** What a daemon said, where. */
export type Said = {
  /** Warnings and errors, and what is told of at the level info. */
  readonly log: readonly { readonly level: string; readonly msg: string }[];
  readonly status: string;
  readonly exitCode: number;
  readonly metrics: string;
  readonly page: string;
  readonly events: readonly {
    readonly type: string;
    readonly reason: string;
    readonly note: string;
  }[];
};

/** The tables below `## Situations`, by title: what is said while it lasts, and when it is over. */
export function cellsIn(
  document: string,
): ReadonlyMap<string, readonly [during: Cells, after: Cells]> {
  const [, situations = ''] = document.split('\n## Situations\n');
  const sections = (situations.split(/\n## /)[0] ?? '').split('\n### ').slice(1);
  return new Map(
    sections.map((section) => {
      const [title = ''] = section.split('\n', 1);
      const rows = [...section.matchAll(/^\| (\w[\w ]*?) +\| (.*) \|$/gm)].map(
        ([, place = '', rest = '']) => {
          const cells = rest.split(' | ').map((cell) => cell.trim());
          if (cells.length !== 2) throw new Error(`${title}: ${place} has ${cells.length} cells`);
          return [place, cells] as const;
        },
      );
      const column = (index: 0 | 1): Cells =>
        columnOf(new Map(rows.map(([place, cells]) => [place, cells[index] ?? ''])));
      return [title, [column(0), column(1)]];
    }),
  );
}

function columnOf(cells: ReadonlyMap<string, string>): Cells {
  const cell = (place: string): string => {
    const text = cells.get(place);
    if (text === undefined) throw new Error(`no row ${place}`);
    return text;
  };
  return {
    log: [...cell('log').matchAll(/(info|warn|error) `([^`]+)`/g)].map(
      ([, level = '', text = '']) => ({ level, text }),
    ),
    status: spansIn(cell('status')),
    exitCode: Number(cell('exit code')),
    metric: spansIn(cell('metric')),
    page: spansIn(cell('page')),
    Event: [...cell('Event').matchAll(/(Normal|Warning) `(\w+)`: `([^`]+)`/g)].map(
      ([, type = '', reason = '', note = '']) => ({ type, reason, note }),
    ),
  };
}

function spansIn(cell: string): readonly string[] {
  const spans = [...cell.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text);
  if (spans.length === 0) throw new Error(`nothing is said in ${cell}`);
  return spans;
}

/** Whether all of the text is what the cell says, where `…` stands for any. */
export function matches(cell: string, text: string): boolean {
  return new RegExp(`^${sourceOf(cell)}$`, 's').test(text);
}

function sourceOf(cell: string): string {
  return cell
    .split('…')
    .map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`))
    .join('.*?');
}

/** What was not said as the cells have it, by place; nothing where all was. What is said once must be said once. */
export function differencesFrom(cells: Cells, said: Said): Readonly<Record<string, unknown>> {
  const missing = (wanted: readonly string[], text: string, flags = 's'): readonly string[] =>
    wanted.filter(
      (span) =>
        !new RegExp(flags === 'm' ? `^${sourceOf(span)}$` : sourceOf(span), flags).test(text),
    );
  const found = {
    log: unlike(
      cells.log.map(({ level, text }) => `${level}: ${text}`),
      said.log
        .filter(
          ({ level, msg }) => level !== 'info' || cells.log.some(({ text }) => matches(text, msg)),
        )
        .map(({ level, msg }) => `${level}: ${msg}`),
    ),
    status: missing(cells.status, said.status),
    exitCode: cells.exitCode === said.exitCode ? [] : [said.exitCode],
    metric: missing(cells.metric, said.metrics, 'm'),
    page: missing(cells.page, said.page),
    Event: unlike(cells.Event.map(eventText), said.events.map(eventText)),
  };
  return Object.fromEntries(Object.entries(found).filter(([, wrong]) => wrong.length > 0));
}

/** Where texts are not just those that are wanted, each once: what was said. */
function unlike(wanted: readonly string[], said: readonly string[]): readonly string[] {
  const isAlike =
    wanted.length === said.length &&
    wanted.every((cell) => said.filter((text) => matches(cell, text)).length === 1);
  return isAlike
    ? []
    : [...said.map((text) => `said ${text}`), ...wanted.map((text) => `not ${text}`)];
}

function eventText({ type, reason, note }: Cells['Event'][number]): string {
  return `${type} ${reason}: ${note}`;
}

/** The text of a page, without its tags. */
export function textOf(page: string): string {
  const entities: Readonly<Record<string, string>> = {
    quot: '"',
    amp: '&',
    lt: '<',
    gt: '>',
    '#39': "'",
  };
  return page
    .replaceAll(/<(style|script)\b.*?<\/\1>/gs, '')
    .replaceAll(/<[^>]*>/g, '')
    .replaceAll(/&(#?\w+);/g, (whole, name: string) => entities[name] ?? whole)
    .replaceAll(/\s+/g, ' ');
}
