// Looks at the rules of another proxy, or of our other mode, before anything on this node is changed: the first objects
// of the cluster in; an end with a clear error, or a line in the log, out.
import { objectsAfter } from '../cluster/state.ts';
import { DifferencesError, SluiceError } from '../errors.ts';
import type { ClusterChange } from '../model/kubernetes.ts';
import { isAlike, refusalDetails, refusalWords, totalOf } from '../takeover/difference-words.ts';
import { compareWithOthers, type ShadowReport } from '../takeover/shadow.ts';
import { findReplaced } from '../takeover/take-over.ts';
import type { Core } from './core.ts';

type Gate = Pick<Core, 'acceptDifferences' | 'config' | 'families' | 'host' | 'log' | 'tools'>;

const seeAndGoOn =
  'nothing was changed; sluice diff and sluice takeover --shadow show more, --accept-differences starts all the same';

/**
 * Compares our rules with those that they would take the place of. Throws DifferencesError where some packets would be
 * handled differently, or where it cannot be known, unless that is accepted.
 */
export async function holdAgainstOthers(
  gate: Gate,
  changes: readonly ClusterChange[],
): Promise<void> {
  const { acceptDifferences, log } = gate;
  const reports = await compared(gate, changes);
  if (reports === undefined) return;
  const { whose, ...counts } = totalOf(reports);
  if (whose === '') return;
  if (isAlike(reports)) {
    log.info(counts, `taking over from ${whose}: ${alikeWords(counts)}`);
    return;
  }
  const [words, details] = [refusalWords(reports), refusalDetails(reports)];
  if (!acceptDifferences) throw new DifferencesError([words, ...details, seeAndGoOn].join('\n'));
  log.warn({ ...counts, details }, `taking over, as --accept-differences is given: ${words}`);
}

function alikeWords({ differences }: { readonly differences: number }): string {
  if (differences === 0) return 'our rules handle all packets alike';
  return 'our rules differ only where the cluster changed, or where nobody answers in either mode';
}

/** Undefined where there is nothing to compare, or it cannot be compared and that is accepted. */
async function compared(
  { acceptDifferences, config, families, host, log, tools: { exec } }: Gate,
  changes: readonly ClusterChange[],
): Promise<readonly ShadowReport[] | undefined> {
  // What cannot be found is said where it would be backed up.
  const found = await orUndefined(findReplaced(exec, families, config.proxyMode), () => {});
  if (found === undefined || found.length === 0) return undefined;
  const objects = objectsAfter(changes, config.nodeName);
  const inputs = { objects, config, hostIps: host.hostIps() };
  return orUndefined(compareWithOthers(exec, { families, found }, inputs), (error) => {
    const words = 'cannot compare the rules on this node with ours';
    if (acceptDifferences) log.warn({ err: error }, `${words}; taking over`);
    else throw new DifferencesError(`${words}: ${error.message}\n${seeAndGoOn}`, { cause: error });
  });
}

async function orUndefined<T>(
  result: Promise<T>,
  onError: (error: SluiceError) => void,
): Promise<T | undefined> {
  try {
    return await result;
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    onError(error);
    return undefined;
  }
}
