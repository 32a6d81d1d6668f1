// The nftables backend: the pure parts of this folder joined to the nft tool. Only our own table is
// ever named, listed or written.
import { ToolError } from '../../errors.ts';
import type { Exec } from '../../host/exec.ts';
import { withRights } from '../../host/exec.ts';
import type { NftInput, ServiceCounters } from '../../model/config.ts';
import type { Family } from '../../model/ip.ts';
import type { Plan } from '../../netfilter/plan.ts';
import type { Backend, Capabilities } from '../backend.ts';
import { NftAssembly } from './assembly.ts';
import { countedIn } from './counted.ts';
import { encodeJson } from './encode-json.ts';
import { encodeText } from './encode-text.ts';
import { parseListing } from './observe.ts';
import type { InputChoice } from './probe.ts';
import { chooseInput } from './probe.ts';
import { listSaved } from './saved.ts';
import { familyWords, tableName } from './schema.ts';
import { unitsNamedIn } from './refusal.ts';
import { servedBy } from './served.ts';
import { touchesOurTable } from './touches.ts';
import { transactionOf } from './transaction.ts';
import type { NftUnit } from './unit.ts';

/**
 * Programs nftables through `exec`; `nftInput` says how nft is written to. Without `counters` nothing is
 * counted, and what counts already is read as it is; with them, a table that counts otherwise is replaced.
 */
export function createNftablesBackend(
  exec: Exec,
  nftInput: NftInput,
  counters?: ServiceCounters,
): Backend<NftUnit> {
  let choice: InputChoice | undefined;
  const input = async (): Promise<'json' | 'text'> =>
    (choice ??= await chooseInput(exec, nftInput)).input;

  const encode = (family: Family, plan: Plan<NftUnit>): string =>
    choice?.input === 'json' || (choice === undefined && nftInput === 'json')
      ? encodeJson(family, transactionOf(plan))
      : encodeText(family, transactionOf(plan));

  const run = async (
    family: Family,
    plan: Plan<NftUnit>,
    how: readonly string[],
  ): Promise<void> => {
    if (plan.length === 0) return;
    const form = (await input()) === 'json' ? ['-j'] : [];
    await exec('nft', [...form, ...how, '-f', '-'], { input: encode(family, plan) });
  };

  return {
    name: 'nftables',
    async probe(): Promise<Capabilities> {
      await input();
      return { families: ['IPv4', 'IPv6'], findings: [choice?.why ?? ''] };
    },
    assemble: (parts, { family }) => new NftAssembly(family, parts, counters),
    list: (family) => list(exec, family),
    observe: async (family) => parseListing(family, await list(exec, family), counters),
    parse: async (family, saved) => parseListing(family, await listSaved(exec, family, saved)),
    served: servedBy,
    encode,
    connections: async (family) => countedIn(family, await list(exec, family)),
    check: (family, plan) => run(family, plan, ['--check']),
    unitsNamedIn,
    apply: (family, plan) => run(family, plan, []),
    touches: () => touchesOurTable,
  };
}

const nothing = '{"nftables":[]}';

async function list(exec: Exec, family: Family): Promise<string> {
  const args = ['-j', 'list', 'table', familyWords[family].table, tableName];
  const { stdout, stderr, exitCode } = await exec('nft', args, { allowedExitCodes: [1] });
  if (exitCode === 0) return stdout;
  if (stderr.includes('No such file or directory')) return nothing;
  const command = ['nft', ...args].join(' ');
  const complaint = withRights(`${command}: ${stderr.trim().split('\n', 1)[0]}`);
  throw new ToolError(complaint, { command, exitCode, stderr, input: '' });
}
