// Finds out what the installed iptables is and for which families the kernel takes it, without
// changing anything.
import { MissingToolError, ToolError } from '../../errors.ts';
import type { Exec } from '../../host/exec.ts';
import { withRights } from '../../host/exec.ts';
import type { Family } from '../../model/ip.ts';
import { families } from '../../model/ip.ts';
import type { Capabilities } from '../backend.ts';

/** The tool of each family; `-save` and `-restore` belong to it. */
export const tools: Readonly<Record<Family, string>> = { IPv4: 'iptables', IPv6: 'ip6tables' };

/** The two programs that are called iptables: one writes to nftables, one to the kernel's older tables. */
export type Variant = 'nf_tables' | 'legacy';

// 1.6.2 brought MASQUERADE --random-fully and iptables-restore -w.
const oldestVersion = [1, 6, 2] as const;

// Any failure of `-S`: no such table or chain, no support in the kernel, no permission, no memory.
const failureExitCodes = [1, 2, 3, 4, 111];

/**
 * The families that can be programmed. Throws MissingToolError where iptables is not installed and
 * ToolError where it is too old or serves no family.
 */
export async function probeTools(
  exec: Exec,
): Promise<Capabilities & { readonly variant: Variant }> {
  const { version, variant } = await readVersion(exec);
  const refusals = new Map<Family, string | undefined>();
  for (const family of families) refusals.set(family, await refusalOf(exec, family));
  const served = families.filter((family) => refusals.get(family) === undefined);
  const findings = [...refusals].flatMap(([family, refusal]) =>
    refusal === undefined ? [] : [`${family} cannot be programmed: ${refusal}`],
  );
  if (served.length === 0) throw probeError(withRights(findings.join('; ')));
  return { families: served, findings: [`iptables ${version} (${variant})`, ...findings], variant };
}

async function readVersion(exec: Exec): Promise<{ version: string; variant: Variant }> {
  const { stdout } = await exec(tools.IPv4, ['--version']);
  // Before 1.8 there was but the one variant, and it was not named.
  const [, version, name] = /v(\d+\.\d+\.\d+)(?: \((\w+)\))?/.exec(stdout) ?? [];
  if (version === undefined) throw probeError(`iptables --version says ${stdout.trim()}`);
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  const [oldMajor, oldMinor, oldPatch] = oldestVersion;
  if ((major - oldMajor || minor - oldMinor || patch - oldPatch) < 0) {
    throw probeError(
      `iptables ${version} is too old: ${oldestVersion.join('.')} or newer is needed`,
    );
  }
  return { version, variant: name === 'nf_tables' ? 'nf_tables' : 'legacy' };
}

/** Why a family cannot be programmed; undefined where it can. */
async function refusalOf(exec: Exec, family: Family): Promise<string | undefined> {
  const args = ['-w', '5', '-t', 'nat', '-S', 'POSTROUTING'];
  try {
    const { exitCode, stderr } = await exec(tools[family], args, {
      allowedExitCodes: failureExitCodes,
    });
    if (exitCode === 0) return undefined;
    return stderr.trim().split('\n', 1)[0] || `${tools[family]} ended with ${exitCode}`;
  } catch (error) {
    if (error instanceof MissingToolError) return error.message;
    throw error;
  }
}

function probeError(message: string): ToolError {
  return new ToolError(message, {
    command: 'iptables',
    exitCode: undefined,
    stderr: '',
    input: '',
  });
}
