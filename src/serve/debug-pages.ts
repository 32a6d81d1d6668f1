// What the debug server has at its paths, for people and for our own commands: objects, rules, passes, and the
// page. It shows more of the cluster than metrics do, so it has an address of its own, on loopback unless it was
// put elsewhere.
import { connectionsPath } from '../model/connections.ts';
import { statusPath } from '../model/daemon-status.ts';
import { passesPath } from '../model/pass-record.ts';
import type { Answer, Answerer } from './answer.ts';
import { notFound } from './answer.ts';
import { debugObjectsPath } from './debug-objects.ts';

export type DebugPages = {
  /** What the rules are made from. */
  readonly debugObjects: () => Answer;
  /** The flight record. */
  readonly passes: () => Answer;
  /** What the daemon reports of itself. */
  readonly status: () => Answer;
  /** New connections of Services, read from the kernel for who asks. */
  readonly connections: () => Promise<Answer>;
  /** The page for people at a path; undefined where it is none of them. */
  readonly page: (path: string) => Answer | undefined;
};

/** Answers the paths of the debug server. */
export function debugAnswerer(pages: DebugPages): Answerer {
  return (path) => {
    switch (path) {
      case debugObjectsPath:
        return pages.debugObjects();
      case passesPath:
        return pages.passes();
      case connectionsPath:
        return pages.connections();
      case statusPath:
        return pages.status();
      default:
        return pages.page(path) ?? notFound;
    }
  };
}
