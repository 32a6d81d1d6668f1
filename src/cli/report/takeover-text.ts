// Whether `run` would take this node over, in words.
import { isAlike, refusalDetails, refusalWords, totalOf } from '../../takeover/difference-words.ts';
import type { ShadowReport } from '../../takeover/shadow.ts';

/** What to say on standard error of these comparisons; '' where there is nothing to say. */
export function takeoverText(reports: readonly ShadowReport[]): string {
  const { whose } = totalOf(reports);
  if (whose === '' || isAlike(reports)) return '';
  const would = `sluice: run would not start: ${refusalWords(reports)}`;
  const goOn = 'run --accept-differences starts all the same; sluice takeover --shadow shows all';
  return [would, ...refusalDetails(reports), goOn].map((line) => `${line}\n`).join('');
}
