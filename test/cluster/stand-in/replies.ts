// What the API server says, byte for byte as it was recorded.
import type { KindInfo, RawObject } from './kinds.ts';

/** An answer that is complete at once. */
export type Reply = {
  readonly status: number;
  readonly body: object;
  readonly headers?: Readonly<Record<string, string>>;
};

/** A failure in the API server's form. */
export function statusReply(
  code: number,
  reason: string,
  message: string,
  details?: object,
): Reply {
  const failure = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure' };
  const body = { ...failure, message, reason, ...(details ? { details } : {}), code };
  return { status: code, body };
}

const reasons: Readonly<Record<number, readonly [reason: string, message: string]>> = {
  400: ['BadRequest', 'the request is bad'],
  401: ['Unauthorized', 'Unauthorized'],
  410: [
    'Expired',
    'The provided continue parameter is too old to display a consistent list result.',
  ],
  429: ['TooManyRequests', 'too many requests, please try again later'],
  500: ['InternalError', 'Internal error occurred: etcdserver: request timed out'],
  503: ['ServiceUnavailable', 'apiserver is shutting down'],
  504: ['Timeout', 'Timeout: request did not complete within the requested timeout'],
};

/** The reply for a status that a test asks for. */
export function plainStatus(
  code: number,
  { kind, plural, group }: Pick<KindInfo, 'plural' | 'group'> & { readonly kind: string },
): Reply {
  if (code === 403) return forbidden(plural, group);
  if (code === 404) {
    return { status: 404, body: {}, headers: { 'content-type': 'text/plain; charset=utf-8' } };
  }
  if (code === 422) {
    const message =
      'ListOptions.meta.k8s.io "" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is' +
      ' forbidden for watch unless the WatchList feature gate is enabled';
    return statusReply(422, 'Invalid', message, { group: 'meta.k8s.io', kind: 'ListOptions' });
  }
  const [reason, message] = reasons[code] ?? ['Unknown', `${kind}: failed on demand`];
  return statusReply(code, reason, message);
}

/** 403 for someone who has shown nothing. */
export function forbidden(plural: string, group: string): Reply {
  const message =
    `${plural} is forbidden: User "system:anonymous" cannot list resource "${plural}"` +
    ` in API group "${group}" at the cluster scope`;
  const details = { ...(group === '' ? {} : { group }), kind: plural };
  const headers = { 'x-content-type-options': 'nosniff' };
  return { ...statusReply(403, 'Forbidden', message, details), headers };
}

export function notFound({ plural }: KindInfo, name: string): Reply {
  return statusReply(404, 'NotFound', `${plural} "${name}" not found`, { name, kind: plural });
}

export function badVersion(version: string): Reply {
  const quoted = JSON.stringify(version);
  const message =
    `invalid resource version: resourceVersion: Invalid value: ${quoted}:` +
    ` strconv.ParseUint: parsing ${quoted}: invalid syntax`;
  return statusReply(400, 'BadRequest', message);
}

// A real server keeps the encoding of what many clients ask for; objects in a store never change.
const addedLines = new WeakMap<object, string>();

/** One line of a watch. */
export function eventLine(type: string, { kind, apiVersion }: KindInfo, object: object): string {
  const known = type === 'ADDED' ? addedLines.get(object) : undefined;
  if (known !== undefined) return known;
  const line = `${JSON.stringify({ type, object: { kind, apiVersion, ...object } })}\n`;
  if (type === 'ADDED') addedLines.set(object, line);
  return line;
}

export function bookmarkLine(info: KindInfo, version: number, endsInitial: boolean): string {
  const annotations = endsInitial ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {};
  const metadata = { resourceVersion: String(version), ...annotations };
  return eventLine('BOOKMARK', info, { metadata, ...info.blank });
}

/** The event that gives up a watch whose version is too old. */
export function expiredLine(version: string, oldest: number): string {
  const message = `too old resource version: ${version} (${oldest})`;
  return `${JSON.stringify({ type: 'ERROR', object: statusReply(410, 'Expired', message).body })}\n`;
}

/** An ERROR event with any code. */
export function errorLine(code: number): string {
  const object = statusReply(code, 'InternalError', 'failed on demand').body;
  return `${JSON.stringify({ type: 'ERROR', object })}\n`;
}

/** One page; `start` is the last object of it, where more follow. */
export function listBody(
  { kind, apiVersion }: KindInfo,
  page: {
    readonly items: readonly RawObject[];
    readonly version: number;
    readonly remaining: number;
    readonly start: string;
  },
): object {
  const { items, version, remaining, start } = page;
  const more = remaining === 0 ? {} : { continue: tokenOf(version, start) };
  const metadata = { resourceVersion: String(version), ...more };
  return {
    kind: `${kind}List`,
    apiVersion,
    metadata: remaining === 0 ? metadata : { ...metadata, remainingItemCount: remaining },
    items,
  };
}

function tokenOf(version: number, start: string): string {
  const json = JSON.stringify({ v: 'meta.k8s.io/v1', rv: version, start: `/${start}\0` });
  return Buffer.from(json).toString('base64url');
}

/** What a continue token says: the version of the list and the last id of the page before. */
export function readToken(token: string): { readonly version: number; readonly start: string } {
  const { rv, start } = JSON.parse(Buffer.from(token, 'base64url').toString()) as {
    readonly rv: number;
    readonly start: string;
  };
  return { version: rv, start: start.slice(1, -1) };
}
