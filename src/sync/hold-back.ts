// Which Services it is that a tool refuses, so that all others can go on: those whose piece the tool names, or
// where it names none, groups of Services are left out and it is asked whether it would take the rest. Changes
// nothing.
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

/** Whose pieces a refusal names; none where it does not tell, or names what several share. */
export type Accuse<K> = (refusal: ToolError) => readonly K[];

/**
 * The Services among `candidates` that the tool refuses, each with what it says of that one alone; empty
 * where it takes them all, undefined where it is not some few of them that it refuses.
 */
export async function findRefused<K>(
  candidates: readonly K[],
  ask: Question<K>,
  accuse: Accuse<K> = () => [],
): Promise<ReadonlyMap<K, ToolError> | undefined> {
  let left = maxQuestions(candidates.length);
  const askWith = async (group: readonly K[]): Promise<ToolError | undefined> => {
    left -= 1;
    const kept = new Set(group);
    return ask(new Set(candidates.filter((candidate) => !kept.has(candidate))));
  };
  const refused = new Map<K, ToolError>();
  const refusal = await askWith(candidates);
  if (refusal === undefined) return refused;
  const named = await findNamed(refusal, { candidates, ask, accuse });
  if (named !== undefined) return named;
  if ((await askWith([])) !== undefined) return undefined;
  const groups = halves(candidates);
  for (let group = groups.pop(); group !== undefined; group = groups.pop()) {
    if (left === 0) return undefined;
    const why = await askWith(group);
    if (why === undefined) continue;
    const [only] = group;
    if (group.length === 1 && only !== undefined) refused.set(only, why);
    else groups.push(...halves(group));
  }
  // Where no one of them is refused alone, it is something between them.
  return refused.size === 0 ? undefined : refused;
}

// Each question names one more at least.
const mostNamings = 8;

// Whoever is named is left out, until the rest is taken; undefined where that does not lead there.
async function findNamed<K>(
  first: ToolError,
  {
    candidates,
    ask,
    accuse,
  }: {
    readonly candidates: readonly K[];
    readonly ask: Question<K>;
    readonly accuse: Accuse<K>;
  },
): Promise<ReadonlyMap<K, ToolError> | undefined> {
  const known = new Set(candidates);
  const named = new Map<K, ToolError>();
  let refusal: ToolError | undefined = first;
  for (let namings = 0; namings < mostNamings; namings += 1) {
    const because = refusal;
    const fresh = accuse(because).filter((key) => known.has(key) && !named.has(key));
    if (fresh.length === 0) return undefined;
    for (const key of fresh) named.set(key, because);
    refusal = await ask(new Set(named.keys()));
    if (refusal === undefined) return named;
  }
  return undefined;
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
