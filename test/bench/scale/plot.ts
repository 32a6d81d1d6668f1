// A plot of figures over the number of Services, both axes logarithmic, as SVG. Pure.
import type { Figure } from './figure.ts';

type Point = { readonly x: number; readonly y: number };
type Line = { readonly label: string; readonly points: readonly Point[]; readonly isFloor?: true };
type Panel = { readonly title: string; readonly lines: readonly Line[] };

const width = 420;
const height = 300;
const margin = { left: 62, right: 12, top: 34, bottom: 96 };
const inner = {
  width: width - margin.left - margin.right,
  height: height - margin.top - margin.bottom,
};
const colours = ['#0b62a4', '#c4501b', '#2d7d46', '#7a4fa3'];
const floorColour = '#777';

/** The plot; `caption` is told below it. */
export function plotOf(figures: readonly Figure[], caption: string): string {
  const panels = panelsOf(figures).filter(({ lines }) => lines.length > 0);
  // The last number of an axis stands half outside of its panel.
  const total = panels.length * width + margin.right;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${total} ${height + 20}" font-family="sans-serif" font-size="11">`,
    `<rect width="${total}" height="${height + 20}" fill="#fff"/>`,
    ...panels.map((panel, index) => panelSvg(panel, index * width)),
    `<text x="8" y="${height + 12}" fill="#555" font-size="9">${escaped(caption)}</text>`,
    '</svg>',
    '',
  ].join('\n');
}

function panelsOf(figures: readonly Figure[]): readonly Panel[] {
  const named = (...names: readonly string[]): readonly Figure[] =>
    figures.filter(({ name }) => names.includes(name));
  const starts = named('cold start, yardstick, api server').map((figure) =>
    Object.assign({}, figure, { value: figure.value / 1000 }),
  );
  const floors = starts.flatMap(({ services, floorMs }) =>
    floorMs === undefined ? [] : [{ x: services, y: floorMs / 1000 }],
  );
  const floor: Line = { label: 'bare nft -f of the same rules', points: floors, isFloor: true };
  const flows = ['Sluice', 'kube-proxy'].flatMap((layout) =>
    ['past all Services', 'to a Service, by endpoints'].map(
      (kind) => `new flow ${kind}, ${layout}`,
    ),
  );
  const changes = figures.filter(({ name }) => name.startsWith('one endpoint comes'));
  const memory = figures.filter(({ name }) => /^memory (?:at rest|peak), yardstick/.test(name));
  return [
    { title: 'A new flow, microseconds', lines: linesBy(named(...flows)) },
    { title: 'Cold start, seconds', lines: starts.length === 0 ? [] : [...linesBy(starts), floor] },
    { title: 'One endpoint comes, milliseconds', lines: linesBy(changes) },
    { title: 'Resident memory, MB', lines: linesBy(memory) },
  ];
}

function linesBy(figures: readonly Figure[]): readonly Line[] {
  return [...Map.groupBy(figures, ({ name }) => name)].map(([label, group]) => ({
    label,
    points: group
      .map(({ services, value }) => ({ x: services, y: value }))
      .toSorted((a, b) => a.x - b.x),
  }));
}

function panelSvg({ title, lines }: Panel, left: number): string {
  const all = lines.flatMap(({ points }) => points);
  const xs = decades(all.map(({ x }) => x));
  const ys = decades(all.map(({ y }) => y));
  const at = ({ x, y }: Point): Point => ({
    x: margin.left + (inner.width * (Math.log10(x) - xs.low)) / (xs.high - xs.low),
    y: margin.top + inner.height * (1 - (Math.log10(y) - ys.low) / (ys.high - ys.low)),
  });
  return [
    `<g transform="translate(${left} 0)">`,
    `<text x="${margin.left}" y="20" font-size="13">${escaped(title)}</text>`,
    ...ticks(xs).map((tick) => tickSvg(at({ x: tick, y: 10 ** ys.low }), tick, 'x')),
    ...ticks(ys).map((tick) => tickSvg(at({ x: 10 ** xs.low, y: tick }), tick, 'y')),
    `<text x="${margin.left + inner.width / 2}" y="${margin.top + inner.height + 32}" text-anchor="middle">Services</text>`,
    ...lines.map((line, index) => lineSvg({ ...line, points: line.points.map(at) }, index)),
    '</g>',
  ].join('\n');
}

type Decades = { readonly low: number; readonly high: number };

function decades(values: readonly number[]): Decades {
  const low = Math.floor(Math.log10(Math.min(...values)));
  return { low, high: Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values)))) };
}

function ticks({ low, high }: Decades): readonly number[] {
  return Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index));
}

function tickSvg({ x, y }: Point, value: number, axis: 'x' | 'y'): string {
  const text = value.toLocaleString('en');
  return axis === 'x'
    ? `<path d="M${x} ${margin.top}V${y}" stroke="#ddd"/><text x="${x}" y="${y + 15}" text-anchor="middle">${text}</text>`
    : `<path d="M${x} ${y}h${inner.width}" stroke="#ddd"/><text x="${x - 6}" y="${y + 4}" text-anchor="end">${text}</text>`;
}

function lineSvg({ label, points, isFloor }: Line, index: number): string {
  const colour = isFloor ? floorColour : (colours[index % colours.length] ?? floorColour);
  const path = points.map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' ');
  const dots = points.map(({ x, y }) => `<circle cx="${x}" cy="${y}" r="3" fill="${colour}"/>`);
  const y = margin.top + inner.height + 46 + 13 * index;
  const dashes = isFloor ? ' stroke-dasharray="4 3"' : '';
  return [
    `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"${dashes}/>`,
    ...dots,
    `<path d="M${margin.left} ${y - 4}h18" stroke="${colour}" stroke-width="2"${dashes}/>`,
    `<text x="${margin.left + 24}" y="${y}">${escaped(label)}</text>`,
  ].join('\n');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
