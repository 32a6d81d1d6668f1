// One watch of the stand-in: what happened, what happens, bookmarks, the end in time.
import type { Clock } from '../../../src/cluster/api/clock.ts';
import type { Fault, SeenRequest } from './faults.ts';
import type { KindInfo } from './kinds.ts';
import { bookmarkLine, eventLine, expiredLine } from './replies.ts';
import type { Selector } from './selectors.ts';
import { eventOf, type Change, type Store } from './store.ts';
import type { Wire } from './wire.ts';

export type WatchOptions = {
  readonly store: Store;
  readonly info: KindInfo;
  readonly matches: Selector;
  readonly request: SeenRequest;
  readonly fault: Fault | undefined;
  readonly clock: Clock;
  /** Comes when the client has gone. */
  readonly signal: AbortSignal;
};

const bookmarkEveryMs = 60_000;

/** Serves a watch until its time is over or the client goes. */
export async function serveWatch(wire: Wire, options: WatchOptions): Promise<void> {
  const { store, info, matches, request, signal } = options;
  const version = request.query.get('resourceVersion') ?? '';
  wire.open();
  if (version !== '' && version !== '0' && Number(version) < store.oldest) {
    wire.write(expiredLine(version, store.oldest));
    wire.end();
    return;
  }
  let since = Number(version);
  if (request.style === 'watch-list' || version === '' || version === '0') {
    since = store.version;
    await sendInitial(wire, options);
  }
  const send = (change: Change): void => {
    const event = change.version > since ? eventOf(change, matches) : undefined;
    if (event !== undefined) wire.write(eventLine(event.type, info, event.object));
  };
  for (const change of store.since(info.kind, since)) send(change);
  const stop = store.listen((kind, change) => {
    if (kind === info.kind && !signal.aborted) send(change);
  });
  await bookmarksAndEnd(wire, options);
  stop();
  if (!signal.aborted) wire.end();
}

// As fast as it is read, as a real server does: nobody waits for the end before he gets the beginning.
async function sendInitial(wire: Wire, options: WatchOptions): Promise<void> {
  const { store, info, matches, request, fault, signal } = options;
  const initial = fault?.kind === 'initial-events' ? fault : undefined;
  const objects = store.list(info.kind, matches);
  const { version } = store;
  for (const object of initial?.order === 'reversed' ? objects.toReversed() : objects) {
    if (wire.isFull) await wire.drained(signal);
    if (signal.aborted) return;
    wire.write(eventLine('ADDED', info, object));
  }
  if (request.style === 'watch-list' && initial?.end !== 'missing') {
    wire.write(bookmarkLine(info, version, true));
  }
}

// As recorded: once a minute, and twice shortly before the end, but never in the first seconds.
async function bookmarksAndEnd(wire: Wire, options: WatchOptions): Promise<void> {
  const { store, info, request, clock, signal } = options;
  const lifeMs = Number(request.query.get('timeoutSeconds') ?? '1800') * 1000;
  const wantsBookmarks = request.query.get('allowWatchBookmarks') === 'true';
  const regular = Array.from({ length: Math.floor(lifeMs / bookmarkEveryMs) }, (_, index) => {
    return (index + 1) * bookmarkEveryMs;
  });
  const times = wantsBookmarks
    ? [...regular, lifeMs - 2500, lifeMs - 1300]
        .filter((ms) => ms > 3000 && ms < lifeMs)
        .toSorted((a, b) => a - b)
    : [];
  const startedMs = clock.now();
  for (const ms of [...times, lifeMs]) {
    // On a busy machine the time may have passed already.
    await clock.delay(Math.max(startedMs + ms - clock.now(), 0), signal);
    if (signal.aborted) return;
    if (ms !== lifeMs) wire.write(bookmarkLine(info, store.version, false));
  }
}
