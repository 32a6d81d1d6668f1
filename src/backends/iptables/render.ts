// A whole Program as input of iptables-restore --noflush for people: it loads wherever it is loaded, and again. Pure.
import type { Family } from '../../model/ip.ts';
import { plan } from '../../netfilter/plan.ts';
import type { Program } from '../../netfilter/program.ts';
import { fixedChains, kubeletFirewall } from './names.ts';
import { encodePlan } from './restore.ts';
import type { IptablesUnit } from './unit.ts';
import { tools } from './variant.ts';

const title = 'rules of Sluice, for';

/** The input, with a header that says what it is. */
export function renderWhole(family: Family, program: Program<IptablesUnit>): string {
  // Without a look at the kernel nobody knows whether the kubelet's chain is there: iptables-restore makes a chain that
  // is not there, or empties it. So what belongs there is in a chain of ours.
  const whole = [...program].map(([id, unit]) =>
    unit.chain === kubeletFirewall
      ? ([id, { ...unit, stays: false }] as const)
      : ([id, unit] as const),
  );
  const input = encodePlan(family, plan<IptablesUnit>(new Map(), new Map(whole)));
  const header = [
    `# ${family} ${title} ${tools[family]}-restore --noflush.`,
    '# Loaded again, they replace the chains named here, and put the jumps to them in front again. sluice run leaves one of each.',
  ];
  return `${header.join('\n')}\n${input.replaceAll(kubeletFirewall, fixedChains.renderedFirewall)}`;
}

/** What was rendered, with the chains that `run` has; any other text as it is. */
export function unrendered(saved: string): string {
  return saved.includes(title)
    ? saved.replaceAll(fixedChains.renderedFirewall, kubeletFirewall)
    : saved;
}
