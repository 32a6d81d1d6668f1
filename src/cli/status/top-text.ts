// Rates of Services for people: a row for each Service port, and below it its endpoints.
import { isProxyMode, traitsOf } from '../../backends/traits.ts';
import { printable } from '../../cluster/problem.ts';
import type { Connections } from '../../model/connections.ts';
import { servicePortName } from '../../model/kubernetes.ts';
import { counted } from '../report/change-words.ts';
import type { Paint } from '../report/print-plan.ts';
import type { EndpointRate, PortRate } from './rates.ts';
import { tableLines, type Cell } from '../report/table.ts';

/** The text; of no more than `lines` lines, where that is said. */
export function topText(
  { mode, counters, ports }: Connections,
  rates: readonly PortRate[],
  { paint, lines = Number.POSITIVE_INFINITY }: { readonly paint: Paint; readonly lines?: number },
): string {
  const sum = rates.reduce((all, { perSecond = 0 }) => all + perSecond, 0);
  const title = `${counted(ports.length, 'Service port')}, ${rateText(sum)} new connections a second`;
  const notes = noteOf(mode, counters);
  const rows = rates.flatMap((port) => [
    portRow(port),
    ...port.endpoints.flatMap(endpointRow(port)),
  ]);
  const room = Math.max(lines - 4 - notes.length, 1);
  const shown = rows.length > room ? rows.slice(0, room - 1) : rows;
  const more = rows.length - shown.length;
  const table = tableLines(head, shown, paint);
  return [
    paint('bold', title),
    ...notes,
    '',
    ...table,
    ...(more > 0 ? [`and ${more} more lines`] : []),
    '',
  ].join('\n');
}

const head = ['SERVICE', 'CONN/S', 'TOTAL', 'SHARE', 'ENDPOINTS', 'IDLE', 'SKIPPED', 'BUSIEST'];

function noteOf(mode: string, counters: string): readonly string[] {
  const isCounted = isProxyMode(mode) && traitsOf(mode).alwaysCounts;
  if (isCounted || counters === 'endpoints') return [];
  return counters === 'services'
    ? ['endpoints are not counted: run --service-counters endpoints']
    : ['nothing is counted: run --service-counters services, or endpoints'];
}

function portRow(port: PortRate): readonly Cell[] {
  const { family, service, portName, protocol, endpoints, idle, imbalance } = port;
  const name = `${servicePortName(service, portName)} ${protocol}`;
  const isCounted = endpoints.some(({ total }) => total !== undefined);
  return [
    { text: `${printable(name)}${family === 'IPv6' ? ' IPv6' : ''}`, style: 'bold' },
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

const endpointRow =
  ({ endpoints }: PortRate) =>
  ({ endpoint, total, perSecond, isLocal }: EndpointRate): readonly (readonly Cell[])[] => {
    if (total === undefined) return [];
    const sum = endpoints.reduce((all, one) => all + (one.total ?? 0), 0);
    const share = sum === 0 ? '-' : `${((100 * total) / sum).toFixed(0)}%`;
    const name = `  ${printable(endpoint)}${isLocal ? ' (here)' : ''}`;
    const isIdle = total === 0 && sum > 0;
    const cell = isIdle ? ({ text: name, style: 'yellow' } as const) : name;
    return [[cell, rateText(perSecond), countText(total), share, '', '', '', '']];
  };

function rateText(rate: number | undefined): string {
  if (rate === undefined) return '-';
  return rate < 10 ? rate.toFixed(1) : rate.toFixed(0);
}

function countText(count: number | undefined): string {
  return count === undefined ? '-' : String(count);
}
