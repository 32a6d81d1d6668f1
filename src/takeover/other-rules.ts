// The Service rules in this network namespace, whoever made them: kube-proxy's, and ours in either mode.
// Each is one owner's in one family, with a copy to put it back from. Only what a Service proxy made is
// read, named or removed.
import type { Backend } from '../backends/backend.ts';
import { eachBackend } from '../backends/index.ts';
import { kubeProxyCanary, kubeProxyTable, kubeProxyUnits } from '../backends/kube-proxy.ts';
import { MissingToolError, ToolError } from '../errors.ts';
import type { SettingChange } from '../host/kernel/sysctl.ts';
import type { Exec } from '../host/tools/exec.ts';
import type { Family } from '../model/ip.ts';
import type { Plan } from '../netfilter/plan.ts';
import { plan, removalOf } from '../netfilter/plan.ts';
import type { Unit } from '../netfilter/program.ts';
import type { Served } from '../netfilter/served.ts';

/** Whose rules they are: kube-proxy's in nftables, or those of a backend's `owner`. */
export type Owner = string;

const kubeProxyOwner = 'kube-proxy nftables';

/** One owner's rules in one family. */
export type ServiceRuleset = {
  readonly owner: Owner;
  readonly family: Family;
  /** What is there, as its own tool takes it. */
  readonly saved: string;
};

/** The same, with what it means to remove them. */
export type FoundRuleset = ServiceRuleset & {
  /** The deletion of all that there is. */
  readonly steps: Plan;
  /** What they do for clients; undefined for rules that are read in no such way. */
  readonly served: (() => readonly Served[]) | undefined;
};

/** Reads and writes one owner's rules. A tool that is missing has made no rules. */
type Keeper = {
  /** What is there, of those families in which there is anything. */
  readonly read: (exec: Exec, families: readonly Family[]) => Promise<readonly Found[]>;
  /** Makes what is there what `saved` says, in one transaction; undefined: nothing. */
  readonly write: (exec: Exec, family: Family, saved: string | undefined) => Promise<void>;
  /** The settings of this host that go with them. */
  readonly settings?: (exec: Exec, family: Family) => Promise<readonly SettingChange[]>;
};

type Found = Omit<FoundRuleset, 'owner'>;

const keepers: ReadonlyMap<Owner, Keeper> = new Map([
  [kubeProxyOwner, { read: readKubeProxyTable, write: writeKubeProxyTable }],
  ...eachBackend((traits, create): [Owner, Keeper] => [traits.owner, keeperOf(create)]),
]);

/** Everybody who makes Service rules. */
export const allOwners: readonly Owner[] = [...keepers.keys()];

/** The Service rules that there are of these owners; reading a large ruleset takes seconds. */
export async function findServiceRulesets(
  exec: Exec,
  families: readonly Family[],
  owners: readonly Owner[] = allOwners,
): Promise<readonly ServiceRuleset[]> {
  const found = await findRulesets(exec, families, owners);
  return found.map(({ owner, family, saved }) => ({ owner, family, saved }));
}

/** The same, with what it means to remove them. */
export async function findRulesets(
  exec: Exec,
  families: readonly Family[],
  owners: readonly Owner[],
): Promise<readonly FoundRuleset[]> {
  const found = await Promise.all(
    owners.map(async (owner) => {
      const read = await keeperFor(owner).read(exec, families);
      return read.map((one): FoundRuleset => ({ owner, ...one }));
    }),
  );
  return found.flat();
}

/** The settings of this host that removeServiceRuleset changes. */
export async function settingsWith(
  exec: Exec,
  { owner, family }: Pick<ServiceRuleset, 'owner' | 'family'>,
): Promise<readonly SettingChange[]> {
  return (await keeperFor(owner).settings?.(exec, family)) ?? [];
}

/** Removes one owner's rules of one family. */
export function removeServiceRuleset(
  exec: Exec,
  { owner, family }: Pick<ServiceRuleset, 'owner' | 'family'>,
): Promise<void> {
  return keeperFor(owner).write(exec, family, undefined);
}

/** Puts rules back; what their owner has now of that family gives way in the same transaction. */
export function restoreServiceRuleset(
  exec: Exec,
  { owner, family, saved }: ServiceRuleset,
): Promise<void> {
  return keeperFor(owner).write(exec, family, saved);
}

const modes: ReadonlyMap<Owner, string> = new Map([
  [kubeProxyOwner, 'nftables'],
  ...eachBackend(({ owner, mode }): [Owner, string] => [owner, mode]),
]);

/** `kube-proxy in iptables mode`. */
export function whoseRules(ruleset: ServiceRuleset): string {
  const proxy = isKubeProxys(ruleset) ? 'kube-proxy' : 'Sluice';
  return `${proxy} in ${modes.get(ruleset.owner)} mode`;
}

/** Whether a running kube-proxy made these: it alone has a canary among its chains. */
export function isKubeProxys({ owner, saved }: Pick<ServiceRuleset, 'owner' | 'saved'>): boolean {
  return owner === kubeProxyOwner || saved.includes(kubeProxyCanary);
}

function keeperFor(owner: Owner): Keeper {
  const keeper = keepers.get(owner);
  if (keeper === undefined) throw new Error(`nobody keeps rules of ${owner}`);
  return keeper;
}

async function readKubeProxyTable(
  exec: Exec,
  families: readonly Family[],
): Promise<readonly Found[]> {
  // To list any table has nft read all that there is.
  const tables = (await orNothing(() => exec('nft', ['list', 'tables'])))?.stdout.split('\n') ?? [];
  const held = families.filter((family) => tables.includes(`table ${nameOf(family)}`));
  return inEach(held, async (family) => {
    // Priorities by number: nft 1.0.6 does not take all of the names that it prints.
    const args = ['-y', 'list', 'table', ...kubeProxyTable[family]];
    const { stdout, exitCode } = await exec('nft', args, { allowedExitCodes: [1] });
    if (exitCode !== 0) return undefined;
    const units = kubeProxyUnits(family, stdout);
    return {
      saved: stdout,
      steps: units.map((was) => ({ op: 'delete', was })),
      served: undefined,
    };
  });
}

function nameOf(family: Family): string {
  return kubeProxyTable[family].join(' ');
}

async function writeKubeProxyTable(
  exec: Exec,
  family: Family,
  saved: string | undefined,
): Promise<void> {
  const table = `table ${nameOf(family)}`;
  // Only a table that is there can be deleted.
  await exec('nft', ['-f', '-'], { input: `add ${table}\ndelete ${table}\n${saved ?? ''}` });
}

function keeperOf<U extends Unit>(createBackend: (exec: Exec) => Backend<U>): Keeper {
  const probed = async (exec: Exec): Promise<Backend<U>> => {
    const backend = createBackend(exec);
    await backend.probe();
    return backend;
  };
  return {
    async read(exec, families) {
      const here = await heldBy(createBackend(exec), families);
      const backend = here.length === 0 ? undefined : await orNothing(() => probed(exec));
      if (backend === undefined) return [];
      return inEach(here, async (family) => {
        const present = await backend.observe(family);
        // Of what stays whatever happens nothing needs to be kept.
        const steps = removalOf(present, await backend.unused?.(family));
        if (steps.length === 0) return undefined;
        const saved = backend.encode(family, plan(new Map(), present));
        return { saved, steps, served: () => backend.served(family, present) };
      });
    },
    async write(exec, family, saved) {
      const backend = await probed(exec);
      const present = await backend.observe(family);
      const steps =
        saved === undefined
          ? removalOf(present, await backend.unused?.(family))
          : plan(present, await backend.parse(family, saved));
      // Before the rules that guard it.
      if (saved === undefined) await backend.tidy?.(family);
      await backend.apply(family, steps);
    },
    settings: async (exec, family) => (await createBackend(exec).untidy?.(family)) ?? [],
  };
}

async function heldBy<U extends Unit>(
  { mayHold }: Pick<Backend<U>, 'mayHold'>,
  families: readonly Family[],
): Promise<readonly Family[]> {
  if (mayHold === undefined) return families;
  const held = await Promise.all(families.map((family) => orNothing(() => mayHold(family))));
  return families.filter((_, index) => held[index] === true);
}

async function inEach(
  families: readonly Family[],
  read: (family: Family) => Promise<Omit<Found, 'family'> | undefined>,
): Promise<readonly Found[]> {
  const found = await Promise.all(
    families.map(async (family) => ({ family, there: await orNothing(() => read(family)) })),
  );
  return found.flatMap(({ family, there }) => (there === undefined ? [] : [{ family, ...there }]));
}

// A tool that is not there, or that the kernel does not serve, has left nothing.
async function orNothing<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof MissingToolError) return undefined;
    const absence = /does not exist|not supported|can't initialize|No such file/i;
    if (error instanceof ToolError && absence.test(error.stderr)) return undefined;
    throw error;
  }
}
