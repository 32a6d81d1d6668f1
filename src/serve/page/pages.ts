// Which page is at which path.
import type { ServiceKey } from '../../model/kubernetes.ts';
import type { Answer } from '../answer.ts';
import { html } from './html.ts';
import { pageAnswer, pagePath } from './layout.ts';
import type { PageData } from './overview.ts';
import { overview } from './overview.ts';
import { servicePage } from './service-page.ts';

/** The page at a path; undefined where the path is none of theirs. */
export function pageAt(path: string, read: () => PageData): Answer | undefined {
  if (path === pagePath) return pageAnswer('Sluice', overview(read(), 1));
  const [, rest] = path.split(`${pagePath}/`);
  if (!path.startsWith(`${pagePath}/`) || rest === undefined) return undefined;
  if (/^[1-9]\d{0,5}$/.test(rest)) return pageAnswer('Sluice', overview(read(), Number(rest)));
  const [kind, ...parts] = rest.split('/');
  return kind === 'service' && parts.length === 2 ? serviceAt(parts, read()) : nothing();
}

function serviceAt(parts: readonly string[], { services, pathsOf }: PageData): Answer {
  const name = parts.map(decoded).join('/');
  const families = services.get(name as ServiceKey);
  return families === undefined
    ? nothing()
    : pageAnswer(`${name} – Sluice`, servicePage(name, families, pathsOf));
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function nothing(): Answer {
  const main = html`<main>
    <h1>Not here</h1>
    <p>There is no such page, or the Service means nothing on this node by now.</p>
    <p><a href="${pagePath}">All Services</a></p>
  </main>`;
  return pageAnswer('Not here – Sluice', main, 404);
}
