// A whole Program as input of iptables-restore --noflush for people: it loads wherever it is loaded, and again. Pure.
import type { Family } from '../../model/ip.ts';
import { plan } from '../../netfilter/plan.ts';
import type { Program } from '../../netfilter/program.ts';
import { kubeletFirewall } from './names.ts';
import { encodePlan } from './restore.ts';
import type { IptablesUnit } from './unit.ts';
import { tools } from './variant.ts';

/** The input, with a header that says what it is. */
export function renderWhole(family: Family, program: Program<IptablesUnit>): string {
  // Without a look at the kernel nobody knows whether the kubelet's chain is there. It has just this rule itself.
  const whole = [...program].map(([id, unit]) =>
    unit.chain === kubeletFirewall
      ? ([id, { ...unit, stays: false }] as const)
      : ([id, unit] as const),
  );
  const input = encodePlan(family, plan<IptablesUnit>(new Map(), new Map(whole)));
  const header = [
    `# ${family} rules of Sluice, for ${tools[family]}-restore --noflush.`,
    `# Loaded again, they replace the chains named here (${kubeletFirewall} too), and put the jumps to them in front again.`,
  ];
  return `${header.join('\n')}\n${input}`;
}
