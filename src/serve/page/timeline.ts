// The last passes as bars, the newest on the right: how long each took, and which failed. Pure.
import type { PassRecord } from '../../model/pass-record.ts';
import { html, type Html } from './html.ts';

const mostBars = 90;
const [width, height] = [720, 100];

/** The picture; what it shows is also in the table below it. */
export function timeline(passes: readonly PassRecord[]): Html {
  const shown = passes.slice(-mostBars);
  const times = shown.map(msOf);
  const longest = Math.max(1, ...times);
  const step = width / Math.max(shown.length, 30);
  const bars = shown.map((pass, index) => {
    const size = Math.max(3, Math.sqrt(msOf(pass) / longest) * height);
    const x = width - (shown.length - index) * step;
    const failed = pass.families.some(({ error }) => error !== undefined);
    const y = height - size;
    const words = `pass ${pass.number}: ${msOf(pass).toFixed(1)} ms${failed ? ', failed' : ''}`;
    return html`<rect
      class="${failed ? 'pass failed' : 'pass'}"
      x="${round(x + 1)}"
      y="${round(y)}"
      width="${round(step - 2)}"
      height="${round(size)}"
      ><title>${words}</title></rect
    >`;
  });
  const failures = shown.filter(({ families }) =>
    families.some(({ error }) => error !== undefined),
  );
  const many = shown.length === 1 ? 'pass' : `${shown.length} passes`;
  const words = `The last ${many}, the newest on the right; the longest took ${longest.toFixed(1)} ms, ${failures.length} failed.`;
  return html`<p class="dim">${words}</p>
    <svg
      class="timeline"
      viewBox="0 0 ${width} ${height}"
      preserveAspectRatio="none"
      role="img"
      aria-label="${words}"
    >
      <line class="axis" x1="0" y1="${height}" x2="${width}" y2="${height}" />
      ${bars}
    </svg>`;
}

function msOf({ families }: PassRecord): number {
  return families.reduce((sum, { durationMs }) => sum + durationMs, 0);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
