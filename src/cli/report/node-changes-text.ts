// What a start changes on a node besides the rules of its own mode, in words and for programs.
import { printable } from '../../cluster/problem.ts';
import type { SettingChange } from '../../host/kernel/sysctl.ts';
import type { Plan } from '../../netfilter/plan.ts';
import { unitOf } from '../../netfilter/plan.ts';
import type { NodeChanges } from '../../takeover/node-changes.ts';
import { whoseRules } from '../../takeover/other-rules.ts';
import { counted, listed } from './change-words.ts';
import type { FamilyPlan, Paint } from './print-plan.ts';
import { operationsOf, planSection } from './print-plan.ts';

/** One line of a report: its sign, and its words. */
type SignedLine = readonly [sign: '+' | '~' | '-', words: string];

/** What the lines of a report say of them. */
export function nodeChangeLines(changes: NodeChanges): readonly SignedLine[] {
  const rulesets = [...byOwner(changes)].map(([whose, plans]): SignedLine => {
    const families = plans.map(({ family, plan }) => `${family}: ${kindsOf(plan)}`);
    return ['-', `rules of ${whose}: removed (${families.join('; ')})`];
  });
  const settings = changes.settings.map((one): SignedLine => ['~', settingWords(one)]);
  const files = changes.files.map(({ path, what }): SignedLine => {
    return ['+', `file ${printable(path)}: ${what}`];
  });
  return [...rulesets, ...settings, ...files];
}

/** The rules that go, a section for each owner. */
export function nodeChangeSections(changes: NodeChanges, paint: Paint): string {
  return [...byOwner(changes)]
    .map(([whose, plans]) => planSection(`rules of ${whose}`, plans, paint))
    .join('\n');
}

/** How many rules go. */
export function rulesRemoved({ rulesets }: NodeChanges): number {
  return rulesets.reduce((sum, { steps }) => sum + steps.length, 0);
}

/** The same for programs. */
export function nodeChangesJson(changes: NodeChanges) {
  return {
    rulesets: changes.rulesets.map((ruleset) => ({
      of: whoseRules(ruleset),
      family: ruleset.family,
      operations: operationsOf([{ family: ruleset.family, plan: ruleset.steps }]),
    })),
    settings: changes.settings.map((one) => ({
      ...one,
      before: one.before ?? null,
      words: settingWords(one),
    })),
    files: changes.files,
    comparisons: changes.comparisons.filter(({ whose }) => whose !== ''),
  };
}

function byOwner({ rulesets }: NodeChanges): ReadonlyMap<string, readonly FamilyPlan[]> {
  const plans = new Map<string, FamilyPlan[]>();
  for (const ruleset of rulesets) {
    const whose = whoseRules(ruleset);
    const plan = { family: ruleset.family, plan: ruleset.steps };
    plans.set(whose, [...(plans.get(whose) ?? []), plan]);
  }
  return plans;
}

/** `1 table, 3 sets and 9 chains`. */
export function kindsOf(steps: Plan): string {
  const kinds = Map.groupBy(steps, (step) => unitOf(step).kind);
  return listed([...kinds].map(([kind, found]) => counted(found.length, kind)));
}

function settingWords({ name, before, after }: SettingChange): string {
  return `setting ${name}: ${before === undefined ? '' : `${before} -> `}${after}`;
}
