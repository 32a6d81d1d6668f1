// Finds out what the installed nft takes, by asking nft itself with --check: nothing is changed.
import type { Exec } from '../../host/exec.ts';
import { ToolError } from '../../errors.ts';
import type { NftInput } from '../../model/config.ts';
import { plan } from '../../netfilter/plan.ts';
import { encodeJson } from './encode-json.ts';
import { encodeText } from './encode-text.ts';
import { sampleProgram } from './sample.ts';
import { transactionOf } from './transaction.ts';

/** How to write to nft, and a sentence that says why. */
export type InputChoice = { readonly input: 'json' | 'text'; readonly why: string };

// A name of its own, so that the check says the same whatever the kernel holds.
const probeTable = 'sluice-probe';

/** Chooses the encoding; throws ToolError where this nft refuses our rules in the one asked for. */
export async function chooseInput(exec: Exec, wanted: NftInput): Promise<InputChoice> {
  if (wanted === 'text') {
    const [version] = await Promise.all([nftVersion(exec), checkText(exec)]);
    return { input: 'text', why: `--nft-input text (nft ${version})` };
  }
  // Side by side, as each takes as long as a process does, and a start waits for them.
  const asked = Promise.allSettled([checkJson(exec), checkText(exec)]);
  const version = await nftVersion(exec);
  const refusal = await jsonRefusal(exec, ...(await asked));
  if (refusal === undefined) {
    return { input: 'json', why: `nft ${version} takes a whole ruleset of ours as JSON` };
  }
  const why = `nft ${version} refuses our ruleset as JSON: ${refusal}`;
  if (wanted === 'auto') return { input: 'text', why };
  const details = { command: 'nft -j --check', exitCode: 1, stderr: refusal, input: '' };
  throw new ToolError(`--nft-input json: ${why}`, details);
}

/** The installed nft's version; throws where it is older than our rules need. */
async function nftVersion(exec: Exec): Promise<string> {
  const { stdout } = await exec('nft', ['--version']);
  const version = /v(\d+\.\d+\.\d+)/.exec(stdout)?.[1] ?? stdout.trim();
  // Older ones read the whole ruleset, other programs' too, before each change.
  if (/^(0\.|1\.0\.0$)/.test(version)) {
    const details = { command: 'nft --version', exitCode: 0, stderr: '', input: '' };
    throw new ToolError(`nft ${version} is too old: 1.0.1 or newer is needed`, details);
  }
  return version;
}

/** Why nft does not take our rules as JSON; undefined where it does. */
async function jsonRefusal(
  exec: Exec,
  json: PromiseSettledResult<unknown>,
  text: PromiseSettledResult<unknown>,
): Promise<string | undefined> {
  if (json.status === 'fulfilled') return undefined;
  const error: unknown = json.reason;
  if (!(error instanceof ToolError)) throw error;
  // If nft refuses the text too, it is not the encoding that is wrong.
  if (text.status === 'rejected') throw text.reason;
  return refusalOf(await askByArgument(exec).catch((again: unknown) => again), error);
}

async function checkText(exec: Exec): Promise<void> {
  await exec('nft', ['--check', '-f', '-'], { input: sample('text') });
}

async function checkJson(exec: Exec): Promise<void> {
  await exec('nft', ['-j', '--check', '-f', '-'], { input: sample('json') });
}

// nft 1.0.6 opens /dev/stdin by name for JSON, which fails for a socket: as an argument it gets to
// read the JSON and to say what it really lacks.
async function askByArgument(exec: Exec): Promise<undefined> {
  await exec('nft', ['-j', '--check', sample('json')]);
}

function refusalOf(byArgument: unknown, byInput: ToolError): string {
  const { stderr, exitCode } = byArgument instanceof ToolError ? byArgument : byInput;
  return stderr.trim().split('\n', 1)[0] || `it ended with ${exitCode ?? 'a signal'}`;
}

/** The transaction that makes a table with one of everything. */
function sample(input: 'json' | 'text'): string {
  const transaction = transactionOf(plan(new Map(), sampleProgram()));
  const encode = input === 'json' ? encodeJson : encodeText;
  return encode('IPv4', transaction, probeTable);
}
