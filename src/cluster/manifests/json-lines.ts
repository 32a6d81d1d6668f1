// Finds lines in JSON text that JSON.parse has accepted: the paths of values in, 1-based lines out. One
// pass however many paths are asked for, since a whole cluster may stand in one file.
import type { Path } from '../problem.ts';
import { lineAt } from '../yaml/line-at.ts';
import { lineOf, wantedSteps, type Step } from './wanted-lines.ts';

const newline = 10;
const quote = 34;
const backslash = 92;

/** For each path the line of its value, else of the nearest list entry around it, else of the root. */
export function linesInJson(text: string, paths: readonly Path[]): readonly number[] {
  // Of most objects only their own line is asked for.
  if (paths.every(({ length }) => length === 0)) {
    const line = lineAt(text, text.search(/\S/));
    return paths.map(() => line);
  }
  const root = wantedSteps(paths);
  markLines(text, root);
  return paths.map((path) => lineOf(root, path));
}

/** An open object or list: the wanted step that it is, if it is one, and the key that comes next. */
type Open = { readonly step: Step | undefined; readonly isList: boolean; key: string | number };

function markLines(text: string, root: Step): void {
  const opens: Open[] = [];
  let line = 1;
  let awaitsKey = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === newline) line++;
    if (code <= 32) continue;
    const open = opens.at(-1);
    const character = text[at];
    if (character === '}' || character === ']') {
      opens.pop();
      awaitsKey = false;
    } else if (character === ',') {
      if (open?.isList === true) open.key = Number(open.key) + 1;
      else awaitsKey = true;
    } else if (awaitsKey && code === quote && open !== undefined) {
      const end = endOfString(text, at);
      // Only keys in a wanted object are worth decoding.
      if (open.step !== undefined) open.key = JSON.parse(text.slice(at, end + 1)) as string;
      at = end;
      awaitsKey = false;
    } else if (character !== ':') {
      const step = open === undefined ? root : open.step?.next.get(open.key);
      if (step !== undefined) step.line = line;
      const isList = character === '[';
      if (isList || character === '{') opens.push({ step, isList, key: isList ? 0 : '' });
      awaitsKey = character === '{';
      if (code === quote) at = endOfString(text, at);
      else if (!isList && character !== '{') at = endOfWord(text, at);
    }
  }
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  for (; text.charCodeAt(at) !== quote; at++) if (text.charCodeAt(at) === backslash) at++;
  return at;
}

function endOfWord(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && !',]} \t\r\n'.includes(text.charAt(at))) at++;
  return at - 1;
}
