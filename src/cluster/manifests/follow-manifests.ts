// Manifests as a source of changes: each version of them becomes one batch, and what is wrong in them
// is said once.
import type { Logger } from 'pino';
import { ManifestError } from '../../errors.ts';
import type { ClusterChange } from '../../model/kubernetes.ts';
import type { ClusterObjects } from '../changes-between.ts';
import { changesBetween } from '../changes-between.ts';
import { GoodCopies } from './good-copies.ts';
import { describeProblem, type ManifestProblem } from './manifests.ts';
import { printable } from '../problem.ts';
import type { ByteStream } from './files.ts';
import { watchManifests } from './watch-manifests.ts';

export type ManifestSource = {
  readonly path: string;
  readonly stdin: ByteStream;
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** Below it, what was good is kept over a restart; undefined: nowhere. */
  readonly stateFolder: string | undefined;
  /** Called with a line for everything that is wrong now, each time that anything may have changed. */
  readonly onProblems?: ((lines: readonly string[]) => void) | undefined;
};

/**
 * Delivers the changes from version to version until the signal comes. Throws ManifestError where the
 * path cannot be read at first, or holds nothing that can be used.
 */
export async function followManifests(
  { path, stdin, signal, log, stateFolder, onProblems }: ManifestSource,
  deliver: (batch: {
    readonly changes: readonly ClusterChange[];
    readonly version: string;
  }) => void,
): Promise<void> {
  let known: ClusterObjects | undefined;
  let logged = new Set<string>();
  let refused = new Set<string>();
  const copies = stateFolder === undefined || path === '-' ? undefined : copiesIn(stateFolder);
  await watchManifests(path, {
    stdin,
    signal,
    copies,
    onFault: (fault) => log.warn(fault),
    onRead({ objects, problems, digest }) {
      const faults = problems.filter(({ isWarning }) => !isWarning);
      const lines = faults.map(describeProblem);
      const doubts = problems.filter(({ isWarning }) => isWarning).map(describeProblem);
      if (known === undefined && objects.size === 0 && lines.length > 0) {
        throw new ManifestError(lines.join('\n'));
      }
      for (const line of lines) if (!logged.has(line)) log.error(line);
      for (const line of doubts) if (!logged.has(line)) log.warn(line);
      logged = new Set([...lines, ...doubts]);
      const places = new Set(faults.map(placeOf));
      for (const place of refused)
        if (!places.has(place)) log.info(`${place}: can be used again, or is gone`);
      refused = places;
      onProblems?.(lines);
      deliver({ changes: changesBetween(known ?? new Map(), objects), version: digest });
      known = objects;
    },
  });
  await copies?.settle();

  function copiesIn(folder: string): GoodCopies {
    return new GoodCopies(folder, path, ({ message }) =>
      log.info(
        { folder, error: message },
        'manifests are not copied: a restart forgets what was good',
      ),
    );
  }
}

/** What is wrong, without its line, which may change: `FILE: Service default/web`. */
function placeOf({ file, object }: ManifestProblem): string {
  return printable([file, object].filter((part) => part !== '').join(': '));
}
