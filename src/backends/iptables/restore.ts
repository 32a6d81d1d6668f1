// The input of iptables-restore --noflush that carries out a plan, and what its complaints mean. Pure.
// Must write nothing that the plan does not name: other chains stay as they are.
import { ToolError } from '../../errors.ts';
import type { Op, Plan } from '../../netfilter/plan.ts';
import type { TableName } from './names.ts';
import type { IptablesUnit } from './unit.ts';

const tables: readonly TableName[] = ['filter', 'nat'];

/** The input for a plan: a section for each table that it touches, '' for an empty plan. */
export function encodeTransaction(plan: Plan<IptablesUnit>): string {
  return tables.map((table) => encodeTable(table, plan)).join('');
}

function encodeTable(table: TableName, plan: Plan<IptablesUnit>): string {
  const steps = plan.filter((step) => unitOf(step).table === table);
  if (steps.length === 0) return '';
  const chains = steps.filter((step) => unitOf(step).kind === 'chain');
  const jumps = steps.filter((step) => unitOf(step).kind === 'jump');
  // Every chain is there and empty before a rule names it; what is deleted is named by none by then.
  const lines = [
    `*${table}`,
    ...chains.map((step) => `:${unitOf(step).chain} - [0:0]`),
    ...jumps.flatMap((step) => oldRules(step).map((rule) => withCommand('-D', rule))),
    ...chains.flatMap(newRules),
    // Above what is there, as kube-proxy puts them: a rule that accepts must not hide them.
    ...jumps.flatMap((step) => newRules(step).map((rule) => withCommand('-I', rule))),
    ...chains.flatMap((step) => (step.op === 'delete' ? [`-X ${step.was.chain}`] : [])),
    'COMMIT',
  ];
  return `${lines.join('\n')}\n`;
}

function unitOf(step: Op<IptablesUnit>): IptablesUnit {
  return step.op === 'delete' ? step.was : step.unit;
}

function newRules(step: Op<IptablesUnit>): string[] {
  return step.op === 'delete' ? [] : rulesOf(step.unit);
}

function oldRules(step: Op<IptablesUnit>): string[] {
  return step.op === 'create' ? [] : rulesOf(step.was);
}

function rulesOf({ text }: IptablesUnit): string[] {
  return text === '' ? [] : text.split('\n');
}

function withCommand(command: '-D' | '-I', rule: string): string {
  return command + rule.slice('-A'.length);
}

// Lines shown before and after the one that failed.
const shownAround = 3;

/**
 * The error of a failed iptables-restore with the line that it complains of and those around it; the
 * error itself where it names none (`line 4 failed`, `Error occurred at line: 4`).
 */
export function locateFailure(error: ToolError): ToolError {
  const number = Number(/\bline:? (\d+)/.exec(error.stderr)?.[1]);
  const lines = error.input.split('\n');
  const failed = lines[number - 1];
  if (failed === undefined) return error;
  const first = Math.max(1, number - shownAround);
  const around = lines
    .slice(first - 1, number + shownAround)
    .map((line, index) => `${first + index === number ? '>' : ' '} ${first + index}: ${line}`);
  const complaint = error.stderr.trim().replaceAll(/\s*\n\s*/g, '; ');
  const message = `${error.command}: line ${number} (${failed}): ${complaint}\n${around.join('\n')}`;
  return new ToolError(message, error, { cause: error });
}
