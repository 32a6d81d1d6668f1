// Text in lines that fit a screen.

/** The text in lines of at most `columns` characters, cut at blanks; a longer word has a line of its own. */
export function wrap(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** A line in lines of at most `columns` characters; all after the first begin at `column`, or two behind its indent. */
export function wrapBelow(line: string, columns: number, column?: number): readonly string[] {
  const [indent = ''] = /^ */.exec(line) ?? [];
  const below = ' '.repeat(column ?? indent.length + 2);
  const [first = '', ...rest] = wrap(line.slice(indent.length), columns - below.length);
  return [`${indent}${first}`, ...rest.map((text) => `${below}${text}`)];
}
