// Finds out what the installed nft takes, by asking nft itself with --check: nothing is changed. That this
// kernel also commits such rules shows with the first transaction: Linux 6.8 and newer leave out of --check
// what they validate in whole chains. The sample is a ruleset that every kernel commits (tested).
import { release } from 'node:os';
import { ToolError } from '../../errors.ts';
import type { Exec } from '../../host/tools/exec.ts';
import { withRights } from '../../host/tools/exec.ts';
import type { NftInput } from '../../model/config.ts';
import { versionIn } from '../../netfilter/version.ts';
import { plan } from '../../netfilter/plan.ts';
import {
  kernelShortcoming,
  nftShortcoming,
  rulesShortcoming,
} from '../../netfilter/requirements.ts';
import { encodeJson } from './encode/encode-json.ts';
import { encodeText } from './encode/encode-text.ts';
import { sampleProgram } from './sample.ts';
import { transactionOf } from './transaction.ts';

/** How to write to nft, and what there is to say of it. */
export type InputChoice = { readonly input: 'json' | 'text'; readonly finding: string };

// A name of its own, so that the check says the same whatever the kernel holds.
const probeTable = 'sluice-probe';

/**
 * Chooses the encoding. Throws ToolError, with one line that names what is needed, if this kernel or this nft
 * cannot serve, or if nft refuses the encoding asked for; MissingToolError if nft is not installed.
 */
export async function chooseInput(exec: Exec, wanted: NftInput): Promise<InputChoice> {
  // Side by side, as each takes as long as a process does, and a start waits for them.
  const json = wanted === 'text' ? undefined : refusalOf(exec, 'json');
  const text = refusalOf(exec, 'text');
  const settled = Promise.allSettled([json, text]);
  const version = await nftVersion(exec);
  await settled;
  const textRefusal = await text;
  // If nft refuses the text too, it is not the encoding that is wrong.
  if (textRefusal !== undefined) throw refused(textRefusal);
  const jsonRefusal = await json;
  if (json !== undefined && jsonRefusal === undefined) {
    return { input: 'json', finding: `nft ${version}, JSON input` };
  }
  // That an nft takes text alone is normal: Debian 12's does.
  if (wanted !== 'json' || jsonRefusal === undefined)
    return { input: 'text', finding: `nft ${version}, text input` };
  const why = `nft ${version} refuses JSON: ${firstLine(jsonRefusal)}`;
  throw probeError(`--nft-input json: ${why}`, jsonRefusal);
}

/** The installed nft's version; throws ToolError if it or the kernel is older than our rules need. */
async function nftVersion(exec: Exec): Promise<string> {
  const { stdout } = await exec('nft', ['--version']);
  const shortcoming = kernelShortcoming(release()) ?? nftShortcoming(stdout);
  if (shortcoming !== undefined) throw probeError(shortcoming);
  return versionIn(stdout)?.join('.') ?? stdout.trim();
}

/** Why nft does not take our rules in this encoding; undefined if it does. */
async function refusalOf(exec: Exec, input: 'json' | 'text'): Promise<ToolError | undefined> {
  const form = input === 'json' ? ['-j'] : [];
  try {
    await exec('nft', [...form, '--check', '-f', '-'], { input: sample(input) });
    return undefined;
  } catch (error) {
    if (error instanceof ToolError) return error;
    throw error;
  }
}

// Who has no right to ask hears that, and nothing of kernels.
function refused(refusal: ToolError): ToolError {
  const complaint = firstLine(refusal);
  if (withRights(complaint) !== complaint) return refusal;
  return probeError(rulesShortcoming(complaint), refusal);
}

function firstLine({ stderr, exitCode }: ToolError): string {
  return stderr.trim().split('\n', 1)[0] || `it ended with ${exitCode ?? 'a signal'}`;
}

function probeError(message: string, cause?: ToolError): ToolError {
  const { command = 'nft --version', exitCode = 0, stderr = '', input = '' } = cause ?? {};
  return new ToolError(message, { command, exitCode, stderr, input }, { cause });
}

/** The transaction that makes a table with one of everything. */
export function sample(input: 'json' | 'text'): string {
  const transaction = transactionOf(plan(new Map(), sampleProgram()));
  const encode = input === 'json' ? encodeJson : encodeText;
  return encode('IPv4', transaction, probeTable);
}
