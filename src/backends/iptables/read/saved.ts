// A saved ruleset in iptables-save's format, as the Program of one family. Pure. What is in no such
// format is refused: taken for an empty ruleset, it would make everything look missing.
import type { Family } from '../../../model/ip.ts';
import type { Program } from '../../../netfilter/program.ts';
import { parseSaved } from './observe.ts';
import type { IptablesUnit } from '../unit.ts';

/** Reads the ruleset; throws where `saved` is none. An empty kernel is saved as nothing at all. */
export function readSaved(family: Family, saved: string): Program<IptablesUnit> {
  const lines = saved.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
  const isRuleset = lines.length === 0 || lines.some((line) => /^\*[a-z]+$/.test(line));
  if (!isRuleset) throw new Error('this is neither what iptables-save prints nor a rendering');
  return parseSaved(family, saved);
}
