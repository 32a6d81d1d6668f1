// The Service rules in this network namespace, whoever made them: kube-proxy's, and ours in either mode.
// Each is one owner's in one family, with a copy to put it back from. Only what a Service proxy made is
// read, named or removed.
import type { Backend } from '../backends/backend.ts';
import { eachBackend } from '../backends/index.ts';
import { kubeProxyTable } from '../backends/kube-proxy.ts';
import { MissingToolError, ToolError } from '../errors.ts';
import type { Exec } from '../host/tools/exec.ts';
import type { Family } from '../model/ip.ts';
import { plan } from '../netfilter/plan.ts';
import type { Unit } from '../netfilter/program.ts';

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

/** Reads and writes one owner's rules. A tool that is missing has made no rules. */
type Keeper = {
  /** What is there, of those families in which there is anything. */
  readonly read: (exec: Exec, families: readonly Family[]) => Promise<readonly Saved[]>;
  /** Makes what is there what `saved` says, in one transaction; undefined: nothing. */
  readonly write: (exec: Exec, family: Family, saved: string | undefined) => Promise<void>;
};

type Saved = Pick<ServiceRuleset, 'family' | 'saved'>;

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
  const found = await Promise.all(
    owners.map(async (owner) => {
      const read = await keeperFor(owner).read(exec, families);
      return read.map((saved): ServiceRuleset => ({ owner, ...saved }));
    }),
  );
  return found.flat();
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

/** Whether a running kube-proxy made these: it alone has a canary among its chains. */
export function isKubeProxys({ owner, saved }: ServiceRuleset): boolean {
  return owner === kubeProxyOwner || saved.includes('KUBE-PROXY-CANARY');
}

function keeperFor(owner: Owner): Keeper {
  const keeper = keepers.get(owner);
  if (keeper === undefined) throw new Error(`nobody keeps rules of ${owner}`);
  return keeper;
}

function readKubeProxyTable(exec: Exec, families: readonly Family[]): Promise<readonly Saved[]> {
  return inEach(families, async (family) => {
    // Priorities by number: nft 1.0.6 does not take all of the names that it prints.
    const args = ['-y', 'list', 'table', ...kubeProxyTable[family]];
    const { stdout, exitCode } = await exec('nft', args, { allowedExitCodes: [1] });
    return exitCode === 0 ? stdout : undefined;
  });
}

async function writeKubeProxyTable(
  exec: Exec,
  family: Family,
  saved: string | undefined,
): Promise<void> {
  const table = `table ${kubeProxyTable[family].join(' ')}`;
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
        if (plan(present, new Map()).length === 0) return undefined;
        return backend.encode(family, plan(new Map(), present));
      });
    },
    async write(exec, family, saved) {
      const backend = await probed(exec);
      const wanted =
        saved === undefined ? new Map<string, U>() : await backend.parse(family, saved);
      await backend.apply(family, plan(await backend.observe(family), wanted));
      if (saved === undefined) await backend.tidy?.(family);
    },
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
  read: (family: Family) => Promise<string | undefined>,
): Promise<readonly Saved[]> {
  const found = await Promise.all(
    families.map(async (family) => ({ family, saved: await orNothing(() => read(family)) })),
  );
  return found.flatMap(({ family, saved }) => (saved === undefined ? [] : [{ family, saved }]));
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
