// Which units iptables-restore complains of, by the line that it names. Pure.
import type { ToolError } from '../../../errors.ts';

/** The id of the chain that the line is about; none where it names none. */
export function unitsNamedIn({ stderr, input }: Pick<ToolError, 'stderr' | 'input'>): string[] {
  const number = Number(/\bline:? (\d+)/.exec(stderr)?.[1]);
  if (!Number.isInteger(number)) return [];
  const lines = input.split('\n').slice(0, number);
  const table = lines.findLast((line) => line.startsWith('*'))?.slice(1);
  const chain = /^(?::|-[A-Z] )(\S+)/.exec(lines[number - 1] ?? '')?.[1];
  return table === undefined || chain === undefined ? [] : [`${table} ${chain}`];
}
