// Looks at the rules of another proxy, or of our other mode, before anything on this node is changed: the first objects
// of the cluster in; an end with a clear error, or a line in the log, out.
import { objectsAfter } from '../../cluster/state.ts';
import { DifferencesError, SluiceError } from '../../errors.ts';
import { askingOnce } from '../../host/tools/asking-once.ts';
import type { Exec } from '../../host/tools/exec.ts';
import type { ClusterChange } from '../../model/kubernetes.ts';
import { isAlike, refusalDetails, refusalWords, totalOf } from '../../takeover/difference-words.ts';
import { compareWithOthers, type ShadowReport } from '../../takeover/shadow.ts';
import { findReplaced, type FoundBefore } from '../../takeover/take-over.ts';
import type { Core } from '../core.ts';

type Gate = Pick<Core, 'acceptDifferences' | 'config' | 'families' | 'host' | 'log' | 'tools'>;

const seeAndGoOn =
  'nothing was changed; sluice diff and sluice takeover --shadow show more, --accept-differences starts all the same';

/**
 * Finds the rules that ours would take the place of, and compares. Throws DifferencesError where some packets would be
 * handled differently, or where it cannot be known, unless that is accepted. Returns them; undefined where they cannot
 * be found out.
 */
export async function holdAgainstOthers(
  gate: Gate,
  changes: readonly ClusterChange[],
): Promise<FoundBefore['found'] | undefined> {
  const { acceptDifferences, config, families, log, tools } = gate;
  // What finds the rules and what compares them ask the same.
  const exec = askingOnce(tools.exec);
  const found = await orUndefined(findReplaced(exec, families, config.proxyMode), (err) => {
    log.warn(
      { err },
      'cannot look for rules of other proxies; looking again once ours are in place',
    );
  });
  if (found === undefined || found.length === 0) return found;
  const reports = await compared({ ...gate, exec }, { families, found }, changes);
  const { whose, ...counts } = totalOf(reports);
  if (whose === '') return found;
  if (isAlike(reports)) {
    log.info(counts, `taking over from ${whose}: ${alikeWords(counts)}`);
    return found;
  }
  const [words, details] = [refusalWords(reports), refusalDetails(reports)];
  if (!acceptDifferences) throw new DifferencesError([words, ...details, seeAndGoOn].join('\n'));
  log.warn({ ...counts, details }, `taking over, as --accept-differences is given: ${words}`);
  return found;
}

function alikeWords({ differences }: { readonly differences: number }): string {
  if (differences === 0) return 'our rules handle all packets alike';
  return 'our rules differ only where the cluster changed, or where nobody answers in either mode';
}

/** No reports where nothing can be compared, and that is accepted. */
async function compared(
  { acceptDifferences, config, exec, host, log }: Gate & { readonly exec: Exec },
  before: FoundBefore,
  changes: readonly ClusterChange[],
): Promise<readonly ShadowReport[]> {
  const objects = objectsAfter(changes, config.nodeName);
  const inputs = { objects, config, hostIps: host.hostIps() };
  const reports = await orUndefined(compareWithOthers(exec, before, inputs), (error) => {
    const words = 'cannot compare the rules on this node with ours';
    if (acceptDifferences) log.warn({ err: error }, `${words}; taking over`);
    else throw new DifferencesError(`${words}: ${error.message}\n${seeAndGoOn}`, { cause: error });
  });
  return reports ?? [];
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
