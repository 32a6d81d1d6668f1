// What every page has: head, looks, and the few lines of script that keep it fresh. Nothing comes from
// another host, and it reads the same without the script.
import { randomBytes } from 'node:crypto';
import type { Answer } from '../answer.ts';
import { Html, html } from './html.ts';

// Where the pages are.
export const pagePath = '/status';

/** A page as an answer; the nonce is another one each time. */
export function pageAnswer(title: string, main: Html, status = 200): Answer {
  const nonce = randomBytes(16).toString('base64');
  const policy = [
    "default-src 'none'",
    `style-src 'nonce-${nonce}'`,
    `script-src 'nonce-${nonce}'`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
  const body = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <link rel="icon" href="data:," />
        <title>${title}</title>
        <style nonce="${nonce}">
          ${style}
        </style>
      </head>
      <body>
        ${main}
        <script nonce="${nonce}">
          ${script};
        </script>
      </body>
    </html> `;
  const headers = {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': policy,
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cache-Control': 'no-store',
  };
  return { status, headers, body: body.toString() };
}

const style = Html.of(
  [
    `
:root { --bg: #fff; --panel: #f5f6f8; --text: #1b1f24; --dim: #57606a; --line: #d0d7de;
  --accent: #0757b3; --good: #116329; --bad: #b3261e; --warn: #7a4b00; --bar: #4a7fc1; }
@media (prefers-color-scheme: dark) { :root { --bg: #0f1318; --panel: #181d24; --text: #e6e9ed;
  --dim: #9aa4af; --line: #343c46; --accent: #79b8ff; --good: #6fd08c; --bad: #ff8a80;
  --warn: #f0b35c; --bar: #4f8fd8; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--bg); color: var(--text);
  font: 15px/1.5 system-ui, "DejaVu Sans", sans-serif; }
main { max-width: 68rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: .5rem 0; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 1.75rem 0 .5rem; }
h3 { font-size: 1rem; margin: 1.25rem 0 .5rem; overflow-wrap: anywhere; }
a { color: var(--accent); }
a:focus-visible, [tabindex]:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
p { margin: .35rem 0; } .dim { color: var(--dim); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: .5rem 0; }
dt { color: var(--dim); } dd { margin: 0; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: 8px; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .4rem .7rem; border-bottom: 1px solid var(--line);
  vertical-align: top; white-space: nowrap; }
th { background: var(--panel); color: var(--dim); font-weight: 600; font-size: .85rem; }
tbody tr:last-child td, tbody tr:last-child th { border-bottom: 0; }
tbody th { background: none; color: inherit; font-size: inherit; font-weight: 600; }
td.wrap, th.wrap { white-space: normal; overflow-wrap: anywhere; min-width: 11rem; }
.n { text-align: right; font-variant-numeric: tabular-nums; }
.good { color: var(--good); } .bad { color: var(--bad); font-weight: 600; }
.warn { color: var(--warn); font-weight: 600; }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--text); font: 12px system-ui, "DejaVu Sans", sans-serif; }
svg text.dim { fill: var(--dim); font-size: 11px; }
svg .box { fill: var(--panel); stroke: var(--line); }
svg .box.end { stroke: var(--bar); } svg .box.out { stroke-dasharray: 4 3; }
svg .line { stroke: var(--dim); fill: none; stroke-width: 1.5; }
svg .line.out { stroke: var(--line); stroke-dasharray: 4 3; }
svg .head { fill: var(--dim); }
svg .share { fill: var(--bar); } svg .pass { fill: var(--bar); } svg .pass.failed { fill: var(--bad); }
svg .axis { stroke: var(--line); }
.chain { max-width: 27rem; } .timeline { height: 6rem; margin-bottom: .75rem; }
.way { display: grid; gap: 1rem; align-items: start; } .way > * { min-width: 0; }
@media (min-width: 56rem) { .way { grid-template-columns: 27rem 1fr; } }
@media (max-width: 40rem) { main { padding: .75rem; } .wide { display: none; }
  table { font-size: .9rem; } th, td { padding: .4rem; } td.wrap { min-width: 7rem; } th.wrap { min-width: 9.5rem; }
  thead th { white-space: normal; vertical-align: bottom; } }
`,
  ],
  [],
);

// Puts what the page says by now in the place of what it said; not while somebody marks text in it. Only
// the part that changes is parsed: the style of the new answer has a nonce that is not this page's. Where no
// answer comes, nothing on the page is called good any more.
const script = Html.of(
  [
    `
let [heard, isAsking] = [new Date(), false];
const silence = () => {
  const note = document.querySelector('#silence') ?? document.createElement('p');
  const text = 'no answer since ' + heard.toISOString().slice(11, 19) + ' UTC: this is what was so then';
  Object.assign(note, { id: 'silence', className: 'bad', textContent: text });
  note.setAttribute('role', 'alert');
  document.querySelector('main').prepend(note);
  for (const good of document.querySelectorAll('main .good')) {
    Object.assign(good, { className: 'warn', textContent: 'unknown' });
  }
};
setInterval(async () => {
  if (isAsking || document.hidden || String(getSelection()) !== '') return;
  isAsking = true;
  try {
    const answer = await fetch(location.href, { cache: 'no-store', signal: AbortSignal.timeout(9000) });
    const text = await answer.text();
    const main = text.slice(text.indexOf('<main>'), text.indexOf('</main>'));
    heard = new Date();
    const fresh = new DOMParser().parseFromString(main, 'text/html');
    const [was, is] = [document.querySelector('main'), fresh.querySelector('main')];
    const left = [...was.querySelectorAll('.scroll')].map((one) => one.scrollLeft);
    const at = document.activeElement?.getAttribute('href');
    was.replaceWith(document.adoptNode(is));
    is.querySelectorAll('.scroll').forEach((one, index) => { one.scrollLeft = left[index] ?? 0; });
    if (at) is.querySelector('a[href="' + CSS.escape(at) + '"]')?.focus({ preventScroll: true });
  } catch {
    silence();
  } finally {
    isAsking = false;
  }
}, 3000);
`,
  ],
  [],
);
