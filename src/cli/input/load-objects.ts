// Manifests for a command that reads them once: what is wrong in them goes to standard error.
import { describeProblem, readManifests } from '../../cluster/manifests/manifests.ts';
import { ManifestError } from '../../errors.ts';
import type { ClusterObject } from '../../model/kubernetes.ts';
import type { Io } from '../io.ts';

/** The good objects; throws ManifestError where there are only bad ones. */
export async function loadObjects(path: string, io: Io): Promise<readonly ClusterObject[]> {
  const { objects, problems } = await readManifests(path, { stdin: io.stdin });
  const lines = problems.map(describeProblem);
  if (objects.size === 0 && lines.length > 0) throw new ManifestError(lines.join('\n'));
  for (const line of lines) io.stderr.write(`${line}\n`);
  return [...objects.values()];
}
