// The fenced blocks of a document, as commands with what is printed below each.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A command line, and the lines that the document shows of what it prints; undefined where it shows none. */
export type Step = { readonly command: string; readonly printed: readonly string[] | undefined };

/** The commands of a block, in order. */
export type Block = {
  readonly document: string;
  /** The line of its first command, from 1. */
  readonly line: number;
  readonly steps: readonly Step[];
};

export const root = join(import.meta.dirname, '../..');

type Fence = {
  readonly language: string;
  readonly first: number;
  readonly after: number;
  readonly lines: readonly string[];
};

/**
 * The blocks with commands: those of a shell, and those that show a terminal (`$ sluice status`). A block without
 * commands right below one of a shell is what its last command prints.
 */
export function blocksIn(document: string): readonly Block[] {
  const fences = fencesIn(readFileSync(join(root, document), 'utf8').split('\n'));
  return fences.flatMap((fence, index) => {
    const next = fences[index + 1];
    const isShell = fence.language === 'sh';
    const isOutput = next?.language === '' && !isTerminal(next) && next.first - fence.after <= 3;
    const steps = isShell ? shellSteps(fence, isOutput ? next.lines : undefined) : stepsIn(fence);
    return steps.length === 0 ? [] : [{ document, line: fence.first, steps }];
  });
}

function fencesIn(lines: readonly string[]): readonly Fence[] {
  const fences: Fence[] = [];
  for (let index = 0; index < lines.length; index++) {
    const [, language] = /^```(\w*)$/.exec(lines[index] ?? '') ?? [];
    if (language === undefined) continue;
    const end = lines.indexOf('```', index + 1);
    const inside = lines.slice(index + 1, end);
    fences.push({ language, first: index + 2, after: end + 1, lines: inside });
    index = end;
  }
  return fences;
}

function isTerminal({ lines }: Fence): boolean {
  return lines.some((line) => line.startsWith('$ '));
}

/** Each line is a command; one that ends with `\` goes on in the next. */
function shellSteps({ lines }: Fence, printed: readonly string[] | undefined): readonly Step[] {
  const commands = lines
    .join('\n')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .map((line) => line.replace(/\s+# .*$/, ''));
  return commands.map((command, index) => ({
    command,
    printed: index === commands.length - 1 ? printed : undefined,
  }));
}

function stepsIn({ language, lines }: Fence): readonly Step[] {
  if (language !== '') return [];
  const starts = lines.flatMap((line, index) => (line.startsWith('$ ') ? [index] : []));
  return starts.map((start, index) => ({
    command: (lines[start] ?? '').slice(2),
    printed: lines.slice(start + 1, starts[index + 1]),
  }));
}
