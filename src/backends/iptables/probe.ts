// Finds out what the installed iptables is, for which families the kernel takes it, and what stands
// beside our rules, without changing anything.
import { MissingToolError, SluiceError, ToolError } from '../../errors.ts';
import type { Exec } from '../../host/tools/exec.ts';
import { withRights } from '../../host/tools/exec.ts';
import { readSysctl } from '../../host/kernel/sysctl.ts';
import type { Family } from '../../model/ip.ts';
import { families } from '../../model/ip.ts';
import type { Capabilities } from '../backend.ts';
import { iptablesShortcoming } from '../../netfilter/requirements.ts';
import { canaryFinding, heldFindings, leftoverFinding } from './findings.ts';
import type { FindHolders } from './lock.ts';
import { holdersText, isLocked, lockSeconds } from './lock.ts';
import { parseSaved } from './read/observe.ts';
import type { Installation, Saved, Variant } from './variant.ts';
import { chooseVariant, otherVariant, places, tools } from './variant.ts';

/** What serves, and where else rules of ours stand. */
export type Probed = Capabilities & {
  readonly place: Installation;
  readonly leftovers: readonly { readonly place: Installation; readonly family: Family }[];
};

/** The iptables that serves, and what was read of it and of the other one. */
type Installed = {
  readonly place: Installation;
  readonly version: string;
  readonly why: string;
  readonly saved: Saved;
  readonly other: { readonly place: Installation; readonly saved: Saved } | undefined;
};

// Any failure of `-S`: no such table or chain, no support in the kernel, no permission, no memory.
const failureExitCodes = [1, 2, 3, 4, 111];

/**
 * The families that can be programmed. Throws MissingToolError where iptables is not installed and
 * ToolError where it is too old or serves no family.
 */
export async function probeTools(exec: Exec, findHolders: FindHolders): Promise<Probed> {
  const installed = await findInstalled(exec);
  const { place, version, why, saved, other } = installed;
  const served: Family[] = [];
  const findings = [`iptables ${version} (${place.variant})${why === '' ? '' : `: ${why}`}`];
  const refusals: string[] = [];
  const tried = await Promise.all(
    families.map(async (family) => ({
      family,
      ...(await tryFamily(exec, place.tools[family], findHolders)),
    })),
  );
  for (const { family, refusal, notice } of tried) {
    if (refusal === undefined) served.push(family);
    else refusals.push(`${family} cannot be programmed: ${refusal}`);
    if (notice !== undefined) findings.push(`${family}: ${notice}`);
  }
  if (served.length === 0) throw probeError(withRights(refusals.join('; ')));
  findings.push(...refusals, ...(await ipv6Finding(exec)));
  for (const family of served) findings.push(...besideOurs(family, saved));
  const leftovers = other === undefined ? [] : leftoversIn(other);
  findings.push(...leftovers.map(({ finding }) => finding));
  return { families: served, findings, place, leftovers };
}

// Both by their own names, else whichever is installed as iptables.
async function findInstalled(exec: Exec): Promise<Installed> {
  const both = [places.nf_tables, places.legacy];
  const answers = await Promise.all(both.map(({ tools: { IPv4 } }) => answerOf(exec, IPv4)));
  if (!answers.every((answer) => answer !== undefined)) {
    const { version, variant } = versionOf((await exec(tools.IPv4, ['--version'])).stdout);
    const place = { variant, tools };
    return { place, version, why: '', saved: await readSaved(exec, place), other: undefined };
  }
  const [nftables, legacy] = await Promise.all([
    readSaved(exec, places.nf_tables),
    readSaved(exec, places.legacy),
  ]);
  const saved: Readonly<Record<Variant, Saved>> = { nf_tables: nftables, legacy };
  const { variant, why } = chooseVariant(saved);
  const { version } = versionOf(answers[both.indexOf(places[variant])] ?? '');
  const another = otherVariant[variant];
  const other = { place: places[another], saved: saved[another] };
  return { place: places[variant], version, why, saved: saved[variant], other };
}

/** What a tool says of itself; undefined where it is not installed, or does not run. */
async function answerOf(exec: Exec, tool: string): Promise<string | undefined> {
  try {
    return (await exec(tool, ['--version'])).stdout;
  } catch (error) {
    if (error instanceof SluiceError) return undefined;
    throw error;
  }
}

function versionOf(answer: string): { readonly version: string; readonly variant: Variant } {
  // Before 1.8 there was but the one variant, and it was not named.
  const [, version, name] = /v(\d+\.\d+\.\d+)(?: \((\w+)\))?/.exec(answer) ?? [];
  if (version === undefined) throw probeError(`iptables --version says ${answer.trim()}`);
  const shortcoming = iptablesShortcoming(answer);
  if (shortcoming !== undefined) throw probeError(shortcoming);
  return { version, variant: name === 'nf_tables' ? 'nf_tables' : 'legacy' };
}

// Without `-t`, which would have legacy iptables make the table.
async function readSaved(exec: Exec, place: Installation): Promise<Saved> {
  const read = async (family: Family): Promise<string> =>
    (await answer(exec, `${place.tools[family]}-save`, [])).stdout;
  const [IPv4, IPv6] = await Promise.all([read('IPv4'), read('IPv6')]);
  return { IPv4, IPv6 };
}

type Tried = {
  /** Why the family cannot be programmed; undefined where it can. */
  readonly refusal?: string;
  /** What to report all the same. */
  readonly notice?: string;
};

async function tryFamily(exec: Exec, tool: string, findHolders: FindHolders): Promise<Tried> {
  const args = ['-w', lockSeconds, '-t', 'nat', '-S', 'POSTROUTING'];
  const { exitCode, stderr } = await answer(exec, tool, args);
  if (exitCode === 0) return {};
  // Others come and go with it: it says nothing of the family.
  if (isLocked(stderr)) {
    return { notice: `the xtables lock is taken; ${holdersText(await findHolders())}` };
  }
  return { refusal: stderr.trim().split('\n', 1)[0] || `${tool} ended with ${exitCode}` };
}

async function answer(
  exec: Exec,
  tool: string,
  args: readonly string[],
): Promise<{ readonly stdout: string; readonly stderr: string; readonly exitCode: number }> {
  try {
    return await exec(tool, args, { allowedExitCodes: failureExitCodes });
  } catch (error) {
    if (!(error instanceof MissingToolError)) throw error;
    return { stdout: '', stderr: error.message, exitCode: 127 };
  }
}

async function ipv6Finding(exec: Exec): Promise<readonly string[]> {
  const name = 'net.ipv6.conf.all.disable_ipv6';
  const value = await readSysctl(exec, name);
  if (value === '0') return [];
  if (value === undefined) {
    // Where settings can be read at all: a container may hide them.
    const isReadable = (await readSysctl(exec, 'net.ipv4.ip_forward')) !== undefined;
    return isReadable ? ['IPv6: this kernel has it not, or it was switched off at boot'] : [];
  }
  return [`IPv6: it is switched off on this node (${name}=${value}), so its rules meet no packets`];
}

function besideOurs(family: Family, saved: Saved): readonly string[] {
  const units = parseSaved(family, saved[family]);
  const canary = canaryFinding(family, units);
  return [...(canary === undefined ? [] : [canary]), ...heldFindings(family, units)];
}

function leftoversIn({
  place,
  saved,
}: {
  readonly place: Installation;
  readonly saved: Saved;
}): readonly { readonly place: Installation; readonly family: Family; readonly finding: string }[] {
  return families.flatMap((family) => {
    const finding = leftoverFinding(family, place, parseSaved(family, saved[family]));
    return finding === undefined ? [] : [{ place, family, finding }];
  });
}

function probeError(message: string): ToolError {
  return new ToolError(message, {
    command: 'iptables',
    exitCode: undefined,
    stderr: '',
    input: '',
  });
}
