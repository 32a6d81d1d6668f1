// A plan for people and for programs: Service by Service, what is added, changed and removed.
import { styleText } from 'node:util';
import type { Family } from '../../model/ip.ts';
import { countSteps, unitOf, type Op, type Plan } from '../../netfilter/plan.ts';
import type { Unit } from '../../netfilter/program.ts';

/** The plans of one command, a family each. */
export type FamilyPlan = { readonly family: Family; readonly plan: Plan };

/** What the output says of where it goes: colour is for terminals. */
export type Paint = (style: 'green' | 'red' | 'yellow' | 'bold' | 'dim', text: string) => string;

/** Colours where `stream` is a terminal and NO_COLOR is not set. */
export function paintFor(stream: NodeJS.WritableStream): Paint {
  return (style, text) => styleText(style, text, { stream });
}

/** The plans as people read them, with what they come to; '' where there is nothing to do. */
export function planText(plans: readonly FamilyPlan[], paint: Paint): string {
  const ops = plans.flatMap(({ plan }) => plan);
  if (ops.length === 0) return '';
  const counts = countSteps(ops);
  const totals = `${counts.create} to add, ${counts.replace} to change, ${counts.delete} to remove`;
  return `${planSections(plans, paint)}\n${totals}\n`;
}

/** The steps of the plans, Service by Service. */
export function planSections(plans: readonly FamilyPlan[], paint: Paint): string {
  const ops = plans.flatMap(({ family, plan }) => plan.map((op) => ({ family, op })));
  const groups = Map.groupBy(ops, ({ op }) => ownerOf(op));
  const sections = [...groups.keys()].toSorted(generalFirst).map((owner) => {
    const lines = (groups.get(owner) ?? []).flatMap(({ family, op }) => opLines(family, op, paint));
    return `${paint('bold', owner === '' ? 'every Service' : owner)}\n${lines.join('')}`;
  });
  return sections.join('\n');
}

/** All steps of the plans under one title. */
export function planSection(title: string, plans: readonly FamilyPlan[], paint: Paint): string {
  const lines = plans.flatMap(({ family, plan }) =>
    plan.flatMap((op) => opLines(family, op, paint)),
  );
  return `${paint('bold', title)}\n${lines.join('')}`;
}

/** The plans as one JSON document, for programs. */
export function planJson(plans: readonly FamilyPlan[]): string {
  const operations = operationsOf(plans);
  return `${JSON.stringify({ inStep: operations.length === 0, operations }, null, 2)}\n`;
}

/** Every step of the plans, for programs. */
export function operationsOf(plans: readonly FamilyPlan[]) {
  return plans.flatMap(({ family, plan }) =>
    plan.map((op) => ({
      family,
      service: ownerOf(op) || null,
      op: op.op,
      kind: unitOf(op).kind,
      id: unitOf(op).id,
      ...(op.op === 'create' ? {} : { before: op.was.text }),
      ...(op.op === 'delete' ? {} : { after: op.unit.text }),
    })),
  );
}

/** The Service that a step's unit stands for; '' where it serves all of them. */
export function ownerOf(op: Op): string {
  return unitOf(op).owner ?? '';
}

// What serves all Services is '' and comes first.
function generalFirst(a: string, b: string): number {
  return a < b ? -1 : 1;
}

function opLines(family: Family, op: Op, paint: Paint): readonly string[] {
  const head = (sign: string): string => `  ${sign} ${paint('dim', family)} `;
  switch (op.op) {
    case 'create':
      return [block(head(paint('green', '+')), op.unit, (line) => paint('green', line))];
    case 'delete':
      return [block(head(paint('red', '-')), op.was, (line) => paint('red', line))];
    case 'replace':
      return [`${head(paint('yellow', '~'))}${op.unit.id}\n`, ...changedLines(op, paint)];
  }
}

// A unit whose text does not say where it stands gets its name on a line of its own.
function block(head: string, { id, text }: Unit, colour: (line: string) => string): string {
  const lines = linesOf({ text });
  const isNamed = id.split(' ').every((word) => text.includes(word));
  if (lines.length === 1 && isNamed) return `${head}${colour(text)}\n`;
  return `${head}${id}\n${lines.map((line) => `      ${colour(line)}\n`).join('')}`;
}

// Rules are short and few in a unit, so lines that stand in both are left out by simple membership.
function changedLines(op: Extract<Op, { op: 'replace' }>, paint: Paint): readonly string[] {
  const before = linesOf(op.was);
  const after = linesOf(op.unit);
  const gone = before.filter((line) => !after.includes(line));
  const come = after.filter((line) => !before.includes(line));
  if (gone.length === 0 && come.length === 0) return ['      the same lines in another order\n'];
  return [
    ...gone.map((line) => `      ${paint('red', `- ${line.trim()}`)}\n`),
    ...come.map((line) => `      ${paint('green', `+ ${line.trim()}`)}\n`),
  ];
}

function linesOf({ text }: Pick<Unit, 'text'>): readonly string[] {
  return text === '' ? [] : text.split('\n');
}
