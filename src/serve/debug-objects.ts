// What the daemon works from, for `sluice explain --daemon`: the objects as they were decoded, the
// configuration in force, and the host's addresses. On the debug server alone.
import type { Config } from '../model/config.ts';
import type { Ip } from '../model/ip.ts';
import type { ClusterObject } from '../model/kubernetes.ts';
import type { Answer } from './answer.ts';
import { jsonAnswer } from './answer.ts';

/** The path. */
export const debugObjectsPath = '/debug/objects';

/** Another number where the shape changes: who asks may be of another version. */
export const debugObjectsVersion = 1;

/** What is sent. */
export type DebugObjects = {
  readonly version: typeof debugObjectsVersion;
  readonly config: Config;
  /** All addresses on the host's interfaces. */
  readonly hostIps: readonly Ip[];
  readonly objects: readonly ClusterObject[];
};

/** The answer, from what is known at the moment. */
export function debugObjectsAnswer(now: Omit<DebugObjects, 'version'>): Answer {
  return jsonAnswer({ version: debugObjectsVersion, ...now } satisfies DebugObjects);
}
