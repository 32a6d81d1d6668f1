// Counts lines.

const newline = 10;

/** The 1-based line of an offset in the text. */
export function lineAt(text: string, offset: number): number {
  return lineCounter(text)(offset);
}

/** The same for many offsets; fast where each is behind the one before. */
export function lineCounter(text: string): (offset: number) => number {
  let at = 0;
  let line = 1;
  return (offset) => {
    if (offset < at) [at, line] = [0, 1];
    const end = Math.min(offset, text.length);
    for (; at < end; at++) if (text.charCodeAt(at) === newline) line++;
    return line;
  };
}
