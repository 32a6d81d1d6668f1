// Which units nft complains of, by the lines and columns that it names (of text; of JSON it names none). Pure.
//   /dev/stdin:4:103-107: Error: Service out of range
import type { ToolError } from '../../../errors.ts';

const position = /^[^\s:]+:(\d+):(\d+)-\d+: Error:/gm;

/** The ids of the units that stand there in the input, each once; none where nothing tells. */
export function unitsNamedIn({ stderr, input }: Pick<ToolError, 'stderr' | 'input'>): string[] {
  const places = [...stderr.matchAll(position)];
  if (places.length === 0) return [];
  const lines = input.split('\n');
  const ids = places.flatMap(([, line, column]) =>
    unitAt(lines[Number(line) - 1] ?? '', Number(column) - 1),
  );
  return [...new Set(ids)];
}

function unitAt(line: string, at: number): readonly string[] {
  const [, object = '', name = ''] =
    /^(?:add|flush|delete) (set|map|chain|rule|element) \S+ \S+ (\S+)/.exec(line) ?? [];
  if (object === '') return [];
  if (object !== 'element') return [`${object === 'rule' ? 'chain' : object} ${name}`];
  const piece = elementAt(line, at);
  // `10.96.0.10 . 80 . 0 : 10.244.1.1 . 8080`, `10.96.0.10 . tcp . 80 comment "shop/web:http"`.
  const key = /^(.+?)(?: comment "| : |$)/.exec(piece)?.[1] ?? '';
  return key === '' ? [] : [`${name} ${key}`];
}

function elementAt(line: string, at: number): string {
  const [open, close] = [line.indexOf('{ ') + 2, line.lastIndexOf(' }')];
  if (at < open || at >= close) return '';
  const before = line.lastIndexOf(', ', at);
  const after = line.indexOf(', ', at);
  return line.slice(before < open ? open : before + 2, after < 0 ? close : after);
}
