// The words of one rule of iptables-save, `-A CHAIN` left off, to data. What kube-proxy never writes stays
// text: nobody can say what it does to a packet. Pure.
import { parseModule, parsePlain } from './matches.ts';
import type { IptablesMatch, IptablesRule, IptablesTarget, Option } from './rule.ts';
import { parseTarget } from './targets.ts';

/** Parses a rule from its words; `text` is what people are shown of it. */
export function parseIptablesRule(words: readonly string[], text: string): IptablesRule {
  const matches: IptablesMatch[] = [];
  let target: IptablesTarget = { kind: 'none' };
  let comment = '';
  for (const [head, ...rest] of segmentsOf(optionsOf(words))) {
    if (head === undefined) continue;
    const name = head.values[0] ?? '';
    const isPlain = head.is && head.values.length === 1;
    if (head.name === '-j' || head.name === '-g') {
      target = (isPlain ? parseTarget(head.name, name, rest) : undefined) ?? unread(head, rest);
    } else if (head.name === '-m' && name === 'comment') {
      comment = rest[0]?.values.join(' ') ?? '';
    } else {
      const known =
        head.name === '-m' ? isPlain && parseModule(name, rest) : parsePlain(head, rest);
      matches.push(...(known || [unread(head, rest)]));
    }
  }
  return { matches, target, comment, text };
}

function optionsOf(words: readonly string[]): readonly Option[] {
  const options: { name: string; is: boolean; values: string[] }[] = [];
  let is = true;
  for (const word of words) {
    const last = options.at(-1);
    const isComment = last?.name === '--comment' && last.values.length === 0;
    if (isComment) last.values.push(word);
    else if (word === '!') is = false;
    else if (/^--?[a-z]/.test(word) || last === undefined || !is) {
      options.push({ name: word, is, values: [] });
      is = true;
    } else last.values.push(word);
  }
  // A `!` with nothing behind it is nothing that is printed.
  if (!is) options.push({ name: '!', is, values: [] });
  return options;
}

/** Every option with one dash, with the long ones that belong to it. */
function segmentsOf(options: readonly Option[]): readonly (readonly Option[])[] {
  const segments: Option[][] = [];
  for (const option of options) {
    if (option.name.startsWith('--')) segments.at(-1)?.push(option);
    if (!option.name.startsWith('--') || segments.length === 0) segments.push([option]);
  }
  return segments;
}

function unread(head: Option, rest: readonly Option[]): { kind: 'unknown'; text: string } {
  const words = [head, ...rest].flatMap(({ name, is, values }) => [
    ...(is ? [] : ['!']),
    name,
    ...values,
  ]);
  return { kind: 'unknown', text: words.join(' ') };
}
