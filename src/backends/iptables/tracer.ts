// The iptables rules that a packet meets: in go the units of our Program, out comes a tracer. Pure.
import type { IptablesUnit } from './unit.ts';
import type { Program } from '../../netfilter/program.ts';
import type { IptablesRule } from '../../netfilter/kube-proxy/iptables/rule.ts';
import type { IptablesRules } from '../../netfilter/kube-proxy/read-iptables.ts';
import { readIptables } from '../../netfilter/kube-proxy/read-iptables.ts';
import { traceIptables } from '../../netfilter/kube-proxy/trace-iptables.ts';
import type { PlacedRule, RuleTracer, TracedHost } from '../rules-met.ts';
import { Notes } from '../rules-met.ts';

/** A tracer through these rules. */
export function iptablesTracer(
  program: Program<IptablesUnit>,
  { hostIps }: TracedHost,
): RuleTracer {
  const rules = readIptables(savedText(program));
  const places = placesIn(rules);
  return (packet) => {
    const notes = new Notes<IptablesRule>((rule) => places.get(rule));
    const outcomes = traceIptables(
      {
        rules,
        hostIps,
        onRule(rule, walk, ways) {
          // A rule without a target says something to people and nothing to packets.
          if (rule.target.kind === 'none' || ways.every((way) => way.walk === walk)) return;
          notes.note(rule, { walk, ways });
        },
      },
      packet,
    );
    return { ...notes.met(), outcomes };
  };
}

function placesIn(rules: IptablesRules): ReadonlyMap<IptablesRule, PlacedRule> {
  const places = new Map<IptablesRule, PlacedRule>();
  for (const table of ['nat', 'filter'] as const) {
    for (const [chain, { rules: list }] of rules[table]) {
      for (const rule of list) places.set(rule, { table, chain, text: `-A ${chain} ${rule.text}` });
    }
  }
  return places;
}

/** What iptables-save prints of these units and nothing else. */
function savedText(program: Program<IptablesUnit>): string {
  const byTable = Map.groupBy(program.values(), ({ table }) => table);
  return [...byTable].map(([table, units]) => tableText(table, units)).join('');
}

function tableText(table: string, units: readonly IptablesUnit[]): string {
  const chains = [...new Set(units.map(({ chain }) => chain))];
  // A jump is put above those that came before it.
  const jumps = units.filter(({ kind }) => kind === 'jump').toReversed();
  const others = units.filter(({ kind }) => kind !== 'jump');
  return [
    `*${table}`,
    ...chains.map((chain) => `:${chain} - [0:0]`),
    ...[...jumps, ...others].map(({ text }) => text).filter((text) => text !== ''),
    'COMMIT',
    '',
  ].join('\n');
}
