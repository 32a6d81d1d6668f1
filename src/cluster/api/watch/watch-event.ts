// Reads the lines of a watch: untrusted text in, one event each out. Pure.
import { quoted } from '../../problem.ts';
import { LineCutter } from './lines.ts';

/** One line of a watch. */
export type WatchEvent =
  | {
      readonly kind: 'set' | 'delete';
      readonly object: unknown;
      readonly version: string;
    }
  /** Nothing happened up to `version`; or, once, all that was there at first has been sent. */
  | { readonly kind: 'bookmark'; readonly version: string; readonly endsInitial: boolean }
  /** The server gives up this watch. */
  | { readonly kind: 'error'; readonly code: number; readonly message: string }
  /** Nothing that can be read; what it said is lost. */
  | { readonly kind: 'unreadable'; readonly why: string };

/** A line longer than this is no object of etcd, whose limit is 1.5 MB. */
const longestLine = 16 * 1024 * 1024;

/** The events of a stream, those of one chunk together; the last one may be unreadable. */
export async function* watchEvents(
  bytes: AsyncIterable<Buffer>,
  longest = longestLine,
): AsyncGenerator<readonly WatchEvent[]> {
  const cutter = new LineCutter(longest);
  for await (const chunk of bytes) {
    const events: WatchEvent[] = [];
    for (const line of cutter.cut(chunk)) {
      if (line.kind === 'line' && line.text === '') continue;
      const event =
        line.kind === 'line'
          ? parseWatchEvent(line.text)
          : unreadable(`a line is longer than ${longest} bytes`);
      events.push(event);
      if (event.kind === 'unreadable') break;
    }
    if (events.length > 0) yield events;
  }
  if (cutter.isInLine) yield [unreadable('the stream ended in the middle of a line')];
}

type Json = Readonly<Record<string, unknown>>;

/** The event that a line describes. */
export function parseWatchEvent(line: string): WatchEvent {
  const { type, object } = parsed(line);
  if (!isObject(object)) return unreadable(`no event: ${quoted(line)}`);
  const metadata = isObject(object['metadata']) ? object['metadata'] : {};
  const version = metadata['resourceVersion'];
  if (type === 'ERROR') return errorEvent(object);
  if (typeof version !== 'string' || version === '') {
    return unreadable(`no resourceVersion: ${quoted(line)}`);
  }
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
      return { kind: 'set', object, version };
    case 'DELETED':
      return { kind: 'delete', object, version };
    case 'BOOKMARK': {
      const annotations = isObject(metadata['annotations']) ? metadata['annotations'] : {};
      const endsInitial = annotations['k8s.io/initial-events-end'] === 'true';
      return { kind: 'bookmark', version, endsInitial };
    }
    default:
      return unreadable(`an event of an unknown type: ${quoted(line)}`);
  }
}

function errorEvent({ code, message }: Json): WatchEvent {
  return {
    kind: 'error',
    code: typeof code === 'number' ? code : 0,
    message: quoted(typeof message === 'string' ? message : ''),
  };
}

function parsed(line: string): Json {
  try {
    const json: unknown = JSON.parse(line);
    return isObject(json) ? json : {};
  } catch {
    return {};
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unreadable(why: string): WatchEvent {
  return { kind: 'unreadable', why };
}
