// Lists a resource page by page, so that neither the server nor we hold all of it as text.
import { ApiError } from '../../../errors.ts';
import { textOf } from '../connection/answer.ts';
import type { ApiConnection, RequestLimits } from '../connection/connection.ts';
import { listPath, type Resource } from './resources.ts';

/** Some items of a list, and the version of all of it. */
export type Page = { readonly items: readonly unknown[]; readonly version: string };

// What one page may take; 500 EndpointSlices of 1,000 endpoints each stay below.
const longestPage = 256 * 1024 * 1024;
// Of 500 objects each: ten times the objects of the largest clusters.
const mostPages = 4000;

/** The pages of the list; throws ApiError, with status 410 where the list expired between two pages. */
export async function* listPages(
  connection: ApiConnection,
  resource: Resource,
  limits: RequestLimits,
): AsyncGenerator<Page> {
  let token = '';
  let pages = 0;
  do {
    pages += 1;
    if (pages > mostPages) throw new ApiError(`GET ${resource.path}: the list does not end`);
    const bytes = await connection.get(listPath(resource, token), limits);
    const page = pageIn(await textOf(bytes, longestPage));
    if (page === undefined) throw new ApiError(`GET ${resource.path}: the answer is no list`);
    if (page.token !== '' && (page.items.length === 0 || page.token === token)) {
      throw new ApiError(`GET ${resource.path}: the list does not end`);
    }
    token = page.token;
    yield page;
  } while (token !== '');
}

/** The version that the server is at now, as far as this resource is concerned. */
export async function presentVersion(
  connection: ApiConnection,
  resource: Resource,
  limits: RequestLimits,
): Promise<string> {
  const page = pageIn(
    await textOf(await connection.get(listPath(resource, '', 1), limits), longestPage),
  );
  if (page === undefined) throw new ApiError(`GET ${resource.path}: the answer is no list`);
  return page.version;
}

/** Whether one version comes before another one; versions are numbers, but only as far as they look like ones. */
export function isBefore(one: string, other: string): boolean {
  const areNumbers = [one, other].every((version) => /^\d+$/.test(version));
  return areNumbers && BigInt(one) < BigInt(other);
}

type ListBody = {
  readonly metadata?: { readonly resourceVersion?: unknown; readonly continue?: unknown };
  readonly items?: unknown;
};

function pageIn(text: string): (Page & { readonly token: string }) | undefined {
  const body = listBody(text);
  const { resourceVersion: version, continue: token } = body?.metadata ?? {};
  // An empty list may say null.
  const items = body?.items ?? [];
  if (typeof version !== 'string' || version === '' || !Array.isArray(items)) return undefined;
  return { items, version, token: typeof token === 'string' ? token : '' };
}

function listBody(text: string): ListBody | null {
  try {
    return JSON.parse(text) as ListBody | null;
  } catch {
    return null;
  }
}
