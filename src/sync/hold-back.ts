// Which Services it is that a tool refuses, so that all others can go on: groups of Services are left out
// and the tool is asked whether it would take the rest. Changes nothing.
import { ToolError } from '../errors.ts';

/** Asks whether all is well without these; the refusal where it is not. */
export type Question<K> = (without: ReadonlySet<K>) => Promise<ToolError | undefined>;

// What is nobody's fault, and passes or is for the operator to mend: rights, locks, want of memory.
const circumstances =
  /not permitted|permission denied|must be root|lock|busy|temporarily unavailable|interrupted|memory|buffer space/i;

/** The error as a refusal of what the tool was told to do; undefined where it is something else. */
export function refusalIn(error: unknown): ToolError | undefined {
  if (!(error instanceof ToolError) || error.exitCode === undefined) return undefined;
  return circumstances.test(error.stderr) ? undefined : error;
}

/**
 * The Services among `candidates` that the tool refuses, each with what it says of that one alone; empty
 * where it takes them all, undefined where it is not some few of them that it refuses.
 */
export async function findRefused<K>(
  candidates: readonly K[],
  ask: Question<K>,
): Promise<ReadonlyMap<K, ToolError> | undefined> {
  let left = maxQuestions(candidates.length);
  const askWith = async (group: readonly K[]): Promise<ToolError | undefined> => {
    left -= 1;
    const kept = new Set(group);
    return ask(new Set(candidates.filter((candidate) => !kept.has(candidate))));
  };
  const refused = new Map<K, ToolError>();
  if ((await askWith(candidates)) === undefined) return refused;
  if ((await askWith([])) !== undefined) return undefined;
  const groups = halves(candidates);
  for (let group = groups.pop(); group !== undefined; group = groups.pop()) {
    if (left === 0) return undefined;
    const refusal = await askWith(group);
    if (refusal === undefined) continue;
    const [only] = group;
    if (group.length === 1 && only !== undefined) refused.set(only, refusal);
    else groups.push(...halves(group));
  }
  // Where no one of them is refused alone, it is something between them.
  return refused.size === 0 ? undefined : refused;
}

// One is found among n with 2 log2(n) questions; so this is enough for four, wherever they are.
function maxQuestions(candidates: number): number {
  return 2 + 8 * Math.ceil(Math.log2(candidates + 1));
}

function halves<K>(group: readonly K[]): (readonly K[])[] {
  if (group.length < 2) return [group];
  const middle = Math.ceil(group.length / 2);
  // The last one is looked at first.
  return [group.slice(middle), group.slice(0, middle)];
}
