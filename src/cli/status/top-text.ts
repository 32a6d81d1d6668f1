// Rates of Services for people: a row for each Service port, and below it its endpoints; all of it, or as much
// as a screen holds.
import { isProxyMode, traitsOf } from '../../backends/traits.ts';
import { printable, quoted } from '../../cluster/problem.ts';
import type { Connections } from '../../model/connections.ts';
import { servicePortName } from '../../model/kubernetes.ts';
import { counted } from '../report/change-words.ts';
import type { Paint } from '../report/print-plan.ts';
import type { Screen } from '../report/screen.ts';
import type { EndpointRate, PortRate } from './rates.ts';
import { tableLines, type Cell } from '../report/table.ts';
import { wrap } from '../report/wrap.ts';
import type { TopView } from './top-view.ts';

/** What was counted, and what changed since the reading before. */
export type Reading = { readonly connections: Connections; readonly rates: readonly PortRate[] };

/** A screen of it, and how many rows there are and fit. */
export type TopScreen = { readonly text: string; readonly rows: number; readonly page: number };

type Row = { readonly port: PortRate; readonly endpoint?: EndpointRate };

/** All rows. */
export function topText({ connections, rates }: Reading, paint: Paint): string {
  const table = tableLines(head, rowsOf(rates).map(cellsOf), { paint, columns: Infinity });
  const title = paint('bold', `${counted(rates.length, 'Service port')}, ${sumText(rates)}`);
  return [title, ...notesOf(connections), '', ...table, ''].join('\n');
}

/** The rows that a screen holds, from where one looks; the last line has no end, so that nothing scrolls. */
export function topScreen(
  { connections, rates }: Reading,
  { from, filter, isTyping }: TopView,
  { paint, columns, lines }: Screen,
): TopScreen {
  const shown = filter === '' ? rates : rates.filter((port) => matches(port, filter));
  const which = filter === '' ? '' : `${quoted(filter)}: ${shown.length} of `;
  const title = `${which}${counted(rates.length, 'Service port')}, ${sumText(shown)}`;
  const above = [title, ...notesOf(connections)].flatMap((line) => wrap(line, columns));
  const rows = rowsOf(shown);
  // The head of the table with a blank line above it, and the line of the keys.
  const page = Math.max(lines - above.length - 3, 1);
  const first = Math.max(Math.min(from, rows.length - page), 0);
  const cells = rows.slice(first, first + page).map(cellsOf);
  const last = first + cells.length;
  const place = `${rows.length === 0 ? 0 : first + 1}-${last} of ${rows.length}`;
  const keys = isTyping
    ? `/${printable(filter)}   Enter: keep, Esc: clear`
    : `${place}; arrows: scroll, /: filter, q: quit`;
  const table = narrowTable(cells, { paint, columns });
  const [bold = '', ...notes] = above;
  const all = [paint('bold', bold), ...notes, '', ...table, textOf(cutCell(keys, columns))];
  return { text: all.slice(0, lines).join('\n'), rows: rows.length, page };
}

const head = ['SERVICE', 'CONN/S', 'TOTAL', 'SHARE', 'ENDPOINTS', 'IDLE', 'SKIPPED', 'BUSIEST'];
// What remains on a narrow screen: the Service, rate, total and share.
const fewest = 4;
// As much of a name as is worth a column.
const usualName = 28;

/** Columns go where there is no room for them, from the last; then names are cut. */
function narrowTable(
  rows: readonly (readonly Cell[])[],
  { paint, columns }: Pick<Screen, 'paint' | 'columns'>,
): readonly string[] {
  const widthOf = (column: number): number =>
    Math.max(...[head, ...rows].map((row) => textOf(row[column] ?? '').length));
  const roomBeside = (shown: number): number =>
    head.slice(1, shown).reduce((room, _, index) => room - widthOf(index + 1) - 2, columns);
  const wanted = Math.min(widthOf(0), usualName);
  const counts = head.map((_, index) => head.length - index).filter((one) => one >= fewest);
  const shown = counts.find((count) => roomBeside(count) >= wanted) ?? fewest;
  const cut = ([name = '', ...rest]: readonly Cell[]): readonly Cell[] => [
    cutCell(name, Math.max(roomBeside(shown), 2)),
    ...rest.slice(0, shown - 1),
  ];
  return tableLines(head.slice(0, shown), rows.map(cut), { paint, columns: Infinity });
}

function cutCell(cell: Cell, width: number): Cell {
  const text = textOf(cell);
  if (text.length <= width) return cell;
  const short = `${text.slice(0, width - 1)}…`;
  return typeof cell === 'string' ? short : { ...cell, text: short };
}

function textOf(cell: Cell): string {
  return typeof cell === 'string' ? cell : cell.text;
}

function rowsOf(rates: readonly PortRate[]): readonly Row[] {
  return rates.flatMap((port) => [
    { port },
    ...port.endpoints
      .filter(({ total }) => total !== undefined)
      .map((endpoint) => ({ port, endpoint })),
  ]);
}

function matches(port: PortRate, filter: string): boolean {
  return nameOf(port).toLowerCase().includes(filter.toLowerCase());
}

/** `shop/web:http tcp IPv6` */
function nameOf({ family, service, portName, protocol }: PortRate): string {
  const name = `${servicePortName(service, portName)} ${protocol}`;
  return `${printable(name)}${family === 'IPv6' ? ' IPv6' : ''}`;
}

function sumText(rates: readonly PortRate[]): string {
  const sum = rates.reduce((all, { perSecond = 0 }) => all + perSecond, 0);
  return `${rateText(sum)} new connections a second`;
}

function notesOf({ mode, counters }: Connections): readonly string[] {
  const isCounted = isProxyMode(mode) && traitsOf(mode).alwaysCounts;
  if (isCounted || counters === 'endpoints') return [];
  return counters === 'services'
    ? ['endpoints are not counted: run --service-counters endpoints']
    : ['nothing is counted: run --service-counters services, or endpoints'];
}

function cellsOf({ port, endpoint }: Row): readonly Cell[] {
  return endpoint === undefined ? portCells(port) : endpointCells(port, endpoint);
}

function portCells(port: PortRate): readonly Cell[] {
  const { endpoints, idle, imbalance } = port;
  const isCounted = endpoints.some(({ total }) => total !== undefined);
  return [
    { text: nameOf(port), style: 'bold' },
    rateText(port.perSecond),
    countText(port.total),
    '',
    String(endpoints.length),
    idle > 0 ? { text: String(idle), style: 'yellow' } : isCounted ? '0' : '-',
    port.skipped > 0 ? { text: String(port.skipped), style: 'yellow' } : '0',
    imbalance === undefined ? '-' : busiest(imbalance),
  ];
}

// Twice its fair share is more than chance does to hundreds of connections.
function busiest(imbalance: number): Cell {
  const text = `${imbalance.toFixed(1)}x`;
  return imbalance >= 2 ? { text, style: 'yellow' } : text;
}

function endpointCells({ endpoints }: PortRate, one: EndpointRate): readonly Cell[] {
  const { endpoint, total = 0, perSecond, isLocal } = one;
  const sum = endpoints.reduce((all, other) => all + (other.total ?? 0), 0);
  const share = sum === 0 ? '-' : `${((100 * total) / sum).toFixed(0)}%`;
  const name = `  ${printable(endpoint)}${isLocal ? ' (here)' : ''}`;
  const isIdle = total === 0 && sum > 0;
  const cell = isIdle ? ({ text: name, style: 'yellow' } as const) : name;
  return [cell, rateText(perSecond), countText(total), share, '', '', '', ''];
}

function rateText(rate: number | undefined): string {
  if (rate === undefined) return '-';
  return rate < 10 ? rate.toFixed(1) : rate.toFixed(0);
}

function countText(count: number | undefined): string {
  return count === undefined ? '-' : String(count);
}
