// Manifests as a source of changes: each version of them becomes one batch, and what is wrong in them
// is said once.
import type { Logger } from 'pino';
import { ManifestError } from '../../errors.ts';
import type { ClusterChange } from '../../model/kubernetes.ts';
import type { ClusterObjects } from '../changes-between.ts';
import { changesBetween } from '../changes-between.ts';
import { describeProblem } from './manifests.ts';
import type { ByteStream } from './files.ts';
import { watchManifests } from './watch-manifests.ts';

export type ManifestSource = {
  readonly path: string;
  readonly stdin: ByteStream;
  readonly signal: AbortSignal;
  readonly log: Logger;
};

/**
 * Delivers the changes from version to version until the signal comes. Throws ManifestError where the
 * path cannot be read at first, or holds nothing that can be used.
 */
export async function followManifests(
  { path, stdin, signal, log }: ManifestSource,
  deliver: (batch: {
    readonly changes: readonly ClusterChange[];
    readonly version: string;
  }) => void,
): Promise<void> {
  let known: ClusterObjects | undefined;
  let logged = new Set<string>();
  await watchManifests(path, {
    stdin,
    signal,
    onRead({ objects, problems, digest }) {
      const lines = problems.map(describeProblem);
      if (known === undefined && objects.size === 0 && lines.length > 0) {
        throw new ManifestError(lines.join('\n'));
      }
      for (const line of lines) if (!logged.has(line)) log.error(line);
      logged = new Set(lines);
      deliver({ changes: changesBetween(known ?? new Map(), objects), version: digest });
      known = objects;
    },
  });
}
