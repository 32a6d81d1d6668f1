// `sluice __complete WORDS...`: what a shell can offer for the last of the words that were typed. The
// shell's stub (scripts.ts) hands in the words and shows what comes back. Pure.
import { readWords } from '../arguments/args.ts';
import type { Flag } from '../arguments/flag.ts';
import { tokensOf } from '../arguments/tokens.ts';
import { flagsOf, type Operand } from '../commands/command.ts';
import { run } from '../commands/run.ts';
import { commands } from '../commands/table.ts';

type Candidate = { readonly word: string; readonly does: string };

/** Candidates, or the shell's own completion of files. */
type Offer = 'files' | readonly Candidate[];

/** The offer in lines: `word TAB what it does`, or `:files`. */
export function completionLines(words: readonly string[]): string {
  const whole = joined(words);
  const current = whole.at(-1) ?? '';
  const offer = offerFor(whole.slice(0, -1), current);
  if (offer === 'files') return ':files\n';
  // Of what bash took apart it completes only what is behind the `=`.
  const isApart = words.slice(-2).includes('=');
  return offer
    .filter(({ word }) => word.startsWith(current))
    .map(({ word, does }) => `${isApart ? word.slice(word.indexOf('=') + 1) : word}\t${does}\n`)
    .join('');
}

/** The words as they were typed: bash hands in `--flag=value` as three. */
function joined(words: readonly string[]): readonly string[] {
  const whole: string[] = [];
  for (const [index, word] of words.entries()) {
    const belongs = word === '=' || words[index - 1] === '=';
    whole.push(belongs ? `${whole.pop() ?? ''}${word}` : word);
  }
  return whole;
}

function offerFor(before: readonly string[], current: string): Offer {
  const tokens = tokensOf(before);
  const last = tokens.at(-1);
  if (last?.kind === 'no-value') return valuesOf(last.flag, '');
  const { named, operands } = readWords(tokens);
  if (current.startsWith('-') && !before.includes('--')) {
    const [token] = tokensOf([current]);
    if (!current.includes('=')) return flagsOf(named ?? run).flatMap(spellings);
    return token?.kind === 'flag' ? valuesOf(token.flag, current.replace(/=.*/s, '=')) : [];
  }
  return named === undefined ? namesOfCommands() : wordsFor(named.operands?.[operands.length]);
}

/** What a flag's value can be, behind `--flag=` where it is typed in one word. */
function valuesOf({ choices = [], placeholder = '' }: Flag, prefix: string): Offer {
  if (placeholder === 'FILE' || placeholder === 'PATH') return 'files';
  return choices.map((choice) => ({ word: `${prefix}${choice}`, does: '' }));
}

/** As a flag is typed: `--output`, `-o`. What is refused anyway is not to be typed. */
function spellings({ name, short, help: does, effect }: Flag): readonly Candidate[] {
  if (effect === 'refused') return [];
  const long = name === short ? [] : [{ word: `--${name}`, does }];
  return short === undefined ? long : [...long, { word: `-${short}`, does }];
}

function namesOfCommands(): readonly Candidate[] {
  return commands.map(({ name, summary }) => ({ word: name, does: summary }));
}

function wordsFor(operand: Operand | undefined): Offer {
  const { choices = [] } = operand ?? {};
  if (choices === 'files') return 'files';
  return choices === 'commands' ? namesOfCommands() : choices.map((word) => ({ word, does: '' }));
}
