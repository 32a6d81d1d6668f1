// Finds the Services whose rules a tool refuses, so that all others can go on: by the place that the tool
// names, or, where it names none, by halving. A question is a real transaction, as only a commit proves
// anything: since Linux 6.8 `nft --check` skips the validation of chains.
import { ToolError } from '../errors.ts';

/**
 * Carries everything out but the changes of these Services, which stay as they last were; the refusal where
 * the tool does not take it, and then nothing of it is in force.
 */
export type Attempt<K> = (without: ReadonlySet<K>) => Promise<ToolError | undefined>;

// What is nobody's fault, and passes or is for the operator to mend: rights, locks, want of memory.
const circumstances =
  /not permitted|permission denied|must be root|lock|busy|temporarily unavailable|interrupted|memory|buffer space/i;

/** The error as a refusal of what the tool was given to do; undefined where it is something else. */
export function refusalIn(error: unknown): ToolError | undefined {
  if (!(error instanceof ToolError) || error.exitCode === undefined) return undefined;
  return circumstances.test(error.stderr) ? undefined : error;
}

/** Whose pieces a refusal names; none where it names none, or names what several share. */
export type Accuse<K> = (refusal: ToolError) => readonly K[];

/**
 * The Services among `candidates` that the tool refuses, each with what the tool said when that one alone was
 * added; empty where it takes them all. Everything else is carried out by then. Undefined where the refusal is
 * not about a few of them.
 */
export async function findRefused<K>(
  candidates: readonly K[],
  attempt: Attempt<K>,
  accuse: Accuse<K> = () => [],
): Promise<ReadonlyMap<K, ToolError> | undefined> {
  const refusal = await attempt(new Set());
  if (refusal === undefined) return new Map();
  const named = await findNamed(refusal, { candidates, attempt, accuse });
  if (named !== undefined) return named;
  // Whoever is in `pending` has not been carried out yet.
  const pending = new Set(candidates);
  if ((await attempt(pending)) !== undefined) return undefined;
  const refused = new Map<K, ToolError>();
  const groups = halves(candidates);
  let left = maxAttempts(candidates.length);
  for (let group = groups.pop(); group !== undefined; group = groups.pop()) {
    if (left === 0) return undefined;
    left -= 1;
    for (const key of group) pending.delete(key);
    const why = await attempt(pending);
    if (why === undefined) continue;
    for (const key of group) pending.add(key);
    const [only] = group;
    if (group.length === 1 && only !== undefined) refused.set(only, why);
    else groups.push(...halves(group));
  }
  return refused;
}

// Each attempt names one more at least.
const mostNamings = 8;

// Whoever is named is quarantined, until the rest is taken; undefined where that does not lead there.
async function findNamed<K>(
  first: ToolError,
  {
    candidates,
    attempt,
    accuse,
  }: {
    readonly candidates: readonly K[];
    readonly attempt: Attempt<K>;
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
    refusal = await attempt(new Set(named.keys()));
    if (refusal === undefined) return named;
  }
  return undefined;
}

// One is found among n with 2 log2(n) attempts; so this is enough for four, wherever they are.
function maxAttempts(candidates: number): number {
  return 8 * Math.ceil(Math.log2(candidates + 1));
}

function halves<K>(group: readonly K[]): (readonly K[])[] {
  if (group.length < 2) return [group];
  const middle = Math.ceil(group.length / 2);
  // The last one is looked at first.
  return [group.slice(middle), group.slice(0, middle)];
}
