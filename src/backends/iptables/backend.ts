// The iptables backend: the pure parts of this folder joined to the iptables tools, in the variant
// (nf_tables or legacy) that the node uses. Only our own chains are written.
import { ToolError } from '../../errors.ts';
import type { Exec } from '../../host/tools/exec.ts';
import type { Family } from '../../model/ip.ts';
import type { Plan } from '../../netfilter/plan.ts';
import type { Program } from '../../netfilter/program.ts';
import type { Backend } from '../backend.ts';
import {
  putBackRouteLocalnet,
  routeLocalnet,
  isRouteLocalnetOurs,
  routeLocalnetToPutBack,
} from '../../host/kernel/route-localnet.ts';
import { findLockHolders } from '../../host/netfilter/xtables-lock.ts';
import { IptablesAssembly } from './compile/assembly.ts';
import { canariesStand, canaryUnits, rulesStand } from './canary.ts';
import type { FindHolders } from './lock.ts';
import { countedIn } from './read/counted.ts';
import { isLocked, lockSeconds, nameHolder } from './lock.ts';
import { parseSaved, unusedShared } from './read/observe.ts';
import type { Probed } from './probe.ts';
import { probeTools } from './probe.ts';
import { encodePlan, locateFailure } from './restore.ts';
import { renderWhole } from './render.ts';
import { readSaved } from './read/saved.ts';
import { unitsNamedIn } from './read/refusal.ts';
import { servedBy } from './read/served.ts';
import { touchesOurChains } from './read/touches.ts';
import { iptablesTracer } from './tracer.ts';
import type { IptablesUnit } from './unit.ts';
import type { Installation } from './variant.ts';
import { tools } from './variant.ts';

// The largest load that was measured (50,000 Services of 5 endpoints) takes 91 s, with the decisions before it.
const restoreTimeoutMs = 300_000;

/**
 * Programs iptables through `exec`. A plan is one iptables-restore, which changes what packets meet at
 * once in each table, the filter table before the nat table; where a large one changes chains of many
 * Services, some Services at once. One that fails may leave the filter table changed, some Services, and
 * chains that nothing leads to: observe reports them.
 */
export function createIptablesBackend(
  exec: Exec,
  findHolders: FindHolders = findLockHolders,
): Backend<IptablesUnit> {
  // Until probed: whichever is installed as iptables. The variant bears on speed alone.
  let place: Installation = { variant: 'nf_tables', tools };
  let leftovers: Probed['leftovers'] = [];
  const around = { exec, findHolders };
  return {
    name: 'iptables',
    async probe() {
      const { families, findings, ...found } = await probeTools(exec, findHolders);
      ({ place, leftovers } = found);
      return { families, findings };
    },
    assemble: (parts, { family }) =>
      new IptablesAssembly(family, parts, place.variant === 'legacy' ? canaryUnits() : []),
    list: (family) => list(exec, family, place),
    observe: (family) => observe(exec, family, place),
    parse: readSaved,
    tracer: iptablesTracer,
    served: servedBy,
    connections: async (family) => {
      const args = ['-c', '-t', 'nat'];
      return countedIn((await exec(`${place.tools[family]}-save`, args)).stdout);
    },
    encode: (family, plan) => encodePlan(family, plan, place.variant),
    render: renderWhole,
    unitsNamedIn,
    apply: (family, plan) => restore(around, family, { plan, place }),
    touches: () => (place.variant === 'nf_tables' ? touchesOurChains : undefined),
    canariesStand: (family) => {
      const stand = place.variant === 'nf_tables' ? rulesStand : canariesStand;
      return stand(exec, place.tools[family]);
    },
    tidy: async (family) => (family === 'IPv4' ? tidyLocalnet(exec) : undefined),
    untidy: async (family) => (family === 'IPv4' ? routeLocalnetToPutBack(exec) : []),
    async unused(family) {
      const units = unusedShared(family, await list(exec, family, place));
      // Whoever set route_localnet needs the rule that guards it.
      return units.length === 0 || (await isRouteLocalnetOurs(exec)) ? units : [];
    },
    elsewhere: () =>
      leftovers.map(({ family, place: other }) => ({
        family,
        observe: () => observe(exec, family, other),
        apply: (plan) => restore(around, family, { plan, place: other }),
      })),
  };
}

async function tidyLocalnet(exec: Exec): Promise<string | undefined> {
  try {
    return (await putBackRouteLocalnet(exec)) ? `put back ${routeLocalnet}=0` : undefined;
  } catch (error) {
    return `${routeLocalnet}=1 is left, which Sluice set: ${(error as Error).message}`;
  }
}

// All tables: to ask legacy iptables for one makes it.
async function list(
  exec: Exec,
  family: Family,
  { tools: { [family]: tool } }: Installation,
): Promise<string> {
  return (await exec(`${tool}-save`, [])).stdout;
}

async function observe(
  exec: Exec,
  family: Family,
  place: Installation,
): Promise<Program<IptablesUnit>> {
  return parseSaved(family, await list(exec, family, place));
}

type Restore = {
  readonly plan: Plan<IptablesUnit>;
  readonly place: Installation;
};

async function restore(
  { exec, findHolders }: { readonly exec: Exec; readonly findHolders: FindHolders },
  family: Family,
  { plan, place }: Restore,
): Promise<void> {
  if (plan.length === 0) return;
  const args = ['-w', lockSeconds, '--noflush'];
  const options = { input: encodePlan(family, plan, place.variant), timeoutMs: restoreTimeoutMs };
  try {
    await exec(`${place.tools[family]}-restore`, args, options);
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    throw isLocked(error.stderr) ? await nameHolder(error, findHolders) : locateFailure(error);
  }
}
