// The way of a new connection to one Service port, as a picture: chains, endpoints with their shares, and
// those that are skipped. Narrow, so that it reads on a phone too. Pure.
import type { ChainPath } from '../../model/chain-path.ts';
import type { Pool } from '../../model/forwarding.ts';
import { hostPort } from '../../model/forwarding.ts';
import { html, type Html } from './html.ts';
import { reasonText } from './reason-text.ts';

const width = 360;
const mostEndpoints = 12;
const longest = 40;
const longestNote = 52;

const stops: Readonly<Record<NonNullable<ChainPath['stop']>, string>> = {
  rejected: 'refused',
  dropped: 'dropped',
  untouched: 'not translated',
};

/** The picture of the way that ends at this pool. */
export function chainPicture(
  { chains, stop }: ChainPath,
  { pool, from, to }: { readonly pool: Pool; readonly from: string; readonly to: string },
): Html {
  const steps = [
    `${from} to ${to}`,
    ...chains.map(({ table, chain }) => `${table}, chain ${chain}`),
    ...(stop === undefined ? [] : [stops[stop]]),
  ];
  const rows = [...memberRows(pool), ...skippedRows(pool)];
  const top = steps.length * 48;
  const height = Math.max(top + rows.length * 44 - (rows.length > 0 ? 0 : 10), 40);
  const label = `${steps.join(', then ')}; ${pool.members.length} endpoints, ${pool.skipped.length} skipped`;
  return html`<svg class="chain" viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}">
    ${steps.map((text, index) => stepBox(text, index, index + 1 < steps.length))}
    ${rows.map((row, index) => rowBox(row, top + index * 44, index === 0 ? top - 12 : top + index * 44 - 26))}
  </svg>`;
}

type Row = {
  readonly text: string;
  readonly note: string;
  /** Of all connections; undefined: skipped. */
  readonly share: number | undefined;
};

function memberRows({ members }: Pool): readonly Row[] {
  const share = 1 / members.length;
  const rows = members.slice(0, mostEndpoints).map(({ ip, port, isLocal }): Row => {
    const note = `${(share * 100).toFixed(1)} %${isLocal ? ', on this node' : ''}`;
    return { text: hostPort(ip, port), note, share };
  });
  const more = members.length - rows.length;
  if (more <= 0) return rows;
  const note = `${(share * more * 100).toFixed(1)} % together`;
  return [...rows, { text: `${more} more endpoints`, note, share: share * more }];
}

function skippedRows({ skipped }: Pool): readonly Row[] {
  const rows = skipped.slice(0, mostEndpoints).map(({ endpoint: { ip, port }, reason }): Row => {
    return { text: hostPort(ip, port), note: `skipped: ${reasonText(reason)}`, share: undefined };
  });
  const more = skipped.length - rows.length;
  return more > 0 ? [...rows, { text: `${more} more skipped`, note: '', share: undefined }] : rows;
}

function stepBox(text: string, index: number, hasNext: boolean): Html {
  const y = index * 48 + 1;
  const arrow = html`<path class="line" d="M ${width / 2} ${y + 30} v 10" /><path
      class="head"
      d="M ${width / 2 - 4} ${y + 40} h 8 l -4 7 z"
    />`;
  return html`<rect class="box" x="20" y="${y}" width="${width - 40}" height="30" rx="6" /><text
      x="${width / 2}"
      y="${y + 20}"
      text-anchor="middle"
      >${cut(text)}<title>${text}</title></text
    >${hasNext ? arrow : undefined}`;
}

function rowBox({ text, note, share }: Row, y: number, from: number): Html {
  const isOut = share === undefined;
  const room = width - 56;
  return html`<path
      class="${isOut ? 'line out' : 'line'}"
      d="M 32 ${from - 5} V ${y + 17} H 48"
    /><rect
      class="${isOut ? 'box out' : 'box end'}"
      x="48"
      y="${y}"
      width="${room}"
      height="36"
      rx="6"
    />${isOut ? undefined : html`<rect class="share" x="52" y="${y + 31}" width="${Math.max(2, Math.round((room - 8) * share))}" height="3" rx="1.5" />`}<text
      x="58"
      y="${y + 14}"
      >${cut(text)}<title>${text}</title></text
    ><text class="dim" x="58" y="${y + 27}">${cut(note, longestNote)}<title>${note}</title></text>`;
}

function cut(text: string, most = longest): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}
