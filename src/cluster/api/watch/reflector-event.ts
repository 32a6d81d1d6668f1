// What a reflector reports of itself, as data: logs, health and metrics are made of it.
import type { ApiError } from '../../../errors.ts';
import type { Problem } from '../../problem.ts';
import type { Ending } from './pace.ts';

/** How a list was made. */
export type ListStyle = 'watch-list' | 'pages';

/** Something that happened to one reflector. */
export type ReflectorEvent =
  | {
      readonly kind: 'listed';
      readonly style: ListStyle;
      readonly objects: number;
      readonly version: string;
      readonly bytes: number;
      readonly ms: number;
    }
  /** The server answered a watch. */
  | { readonly kind: 'watching' }
  /** Events came in, bookmarks among them; `objects` is how many there are now. */
  | {
      readonly kind: 'heard';
      readonly events: number;
      readonly objects: number;
      readonly version: string;
      /** Read since the last report. */
      readonly bytes: number;
    }
  | { readonly kind: 'ended'; readonly reason: Ending['kind']; readonly ms: number }
  /** It is not in touch with the server, and tries again in `delayMs`. */
  | { readonly kind: 'failed'; readonly error: ApiError; readonly delayMs: number }
  /** The list is taken as empty, since the server does not offer it. */
  | { readonly kind: 'absent'; readonly error: ApiError }
  /** The server cannot list by a watch, so from now on it is asked for pages. */
  | { readonly kind: 'no-watch-list'; readonly error: ApiError }
  /** An object, or a part of one, cannot be used; an empty list of problems says that it can again, or is gone. */
  | { readonly kind: 'problems'; readonly id: string; readonly problems: readonly Problem[] };
