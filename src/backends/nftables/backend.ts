// The nftables backend: the pure parts of this folder joined to the nft tool. Only our own table is
// ever named, listed or written.
import { ToolError } from '../../errors.ts';
import type { Exec } from '../../host/tools/exec.ts';
import { withRights } from '../../host/tools/exec.ts';
import type { NftInput, ServiceCounters } from '../../model/config.ts';
import type { Family } from '../../model/ip.ts';
import type { Hook } from '../../model/ruleset.ts';
import type { Backend, Capabilities } from '../backend.ts';
import type { ListClients } from './clients.ts';
import { clientsToCarry, clientsToForget, forgottenBy } from './clients.ts';
import { NftAssembly } from './compile/assembly.ts';
import type { Counted } from '../../netfilter/counted.ts';
import { countedIn } from './read/counted.ts';
import { encodeJson } from './encode/encode-json.ts';
import { encodeText } from './encode/encode-text.ts';
import { renderWhole } from './encode/render.ts';
import { parseListing } from './read/observe.ts';
import type { InputChoice } from './probe.ts';
import { chooseInput } from './probe.ts';
import { listSaved } from './read/saved.ts';
import { containers, familyWords, tableName } from './schema.ts';
import { unitsNamedIn } from './read/refusal.ts';
import { servedBy } from './read/served.ts';
import { touchesOurTable } from './read/touches.ts';
import { nftTracer } from './tracer.ts';
import { partsOf, transactionOf } from './transaction.ts';
import type { Transaction } from './transaction.ts';
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
  const chosen = async (): Promise<InputChoice> => (choice ??= await chooseInput(exec, nftInput));
  const isJson = (): boolean =>
    choice?.input === 'json' || (choice === undefined && nftInput === 'json');
  const encode = (family: Family, transaction: Transaction): string =>
    isJson() ? encodeJson(family, transaction) : encodeText(family, transaction);

  // Each is spelled while nft reads the one before.
  const run = async (family: Family, transactions: readonly Transaction[]): Promise<void> => {
    const form = (await chosen()).input === 'json' ? ['-j'] : [];
    let running: Promise<unknown> = Promise.resolve();
    for (const transaction of transactions) {
      const spelled = encode(family, transaction);
      await running;
      running = exec('nft', [...form, '-f', '-'], { input: spelled });
    }
    await running;
  };

  return {
    name: 'nftables',
    render: (family, program) => renderWhole(family, program, isJson() ? 'json' : 'text'),
    async probe(): Promise<Capabilities> {
      return { families: ['IPv4', 'IPv6'], findings: [(await chosen()).finding] };
    },
    assemble: (parts, { family }) => new NftAssembly(family, parts, counters),
    list: (family) => list(exec, family),
    observe: async (family) => parseListing(family, await list(exec, family), counters),
    parse: async (family, saved) => parseListing(family, await listSaved(exec, family, saved)),
    tracer: nftTracer,
    served: servedBy,
    encode: (family, plan) => encode(family, transactionOf(plan)),
    async connections(family) {
      if (counters !== 'services') return countedIn(family, await list(exec, family));
      const counted: Counted[] = [];
      for (const { name } of countedMaps) {
        counted.push(...countedIn(family, await list(exec, family, name)));
      }
      return counted;
    },
    unitsNamedIn,
    async apply(family, plan) {
      if (plan.length === 0) return;
      const listed: ListClients = (map) => list(exec, family, map);
      const gone = forgottenBy(plan);
      const forgotten = await clientsToForget(family, gone, listed);
      const carried = await clientsToCarry(family, plan, listed);
      await run(family, partsOf(transactionOf(plan, { forgotten, carried })));
      // Whoever was sent there after the look; from now on nobody is.
      const late = await clientsToForget(family, gone, listed);
      if (late.length === 0) return;
      await run(family, [transactionOf([], { forgotten: late, carried: [] })]);
    },
    // Every nft can list tables; one that is too old for our rules made none.
    mayHold: async (family) => {
      const { stdout } = await exec('nft', ['list', 'tables']);
      return stdout.split('\n').includes(`table ${familyWords[family].table} ${tableName}`);
    },
    touches: () => touchesOurTable,
    canariesStand: (family) => canaryStands(exec, family),
  };
}

// Where Services alone are counted. With 10,000 Services of all sizes nft takes 792 MB and 9.2 s to list the whole table,
// 63 MB and 0.9 s to list these (measured, nft 1.0.6).
const countedMaps = [containers.serviceIps, containers.serviceNodePorts];

// Without it no packet meets a Service, whichever Services there are.
const canary = 'nat-prerouting' satisfies Hook;

// To list anything would have nft read everything: it is asked whether it could be flushed.
async function canaryStands(exec: Exec, family: Family): Promise<boolean | undefined> {
  const args = ['--check', 'flush', 'chain', familyWords[family].table, tableName, canary];
  const { exitCode, stderr } = await exec('nft', args, { allowedExitCodes: [1] });
  if (exitCode === 0) return true;
  return stderr.includes('No such file or directory') ? false : undefined;
}

const nothing = '{"nftables":[]}';

async function list(exec: Exec, family: Family, map?: string): Promise<string> {
  const at = [familyWords[family].table, tableName];
  const args = ['-j', 'list', ...(map === undefined ? ['table', ...at] : ['map', ...at, map])];
  const { stdout, stderr, exitCode } = await exec('nft', args, { allowedExitCodes: [1] });
  if (exitCode === 0) return stdout;
  if (stderr.includes('No such file or directory')) return nothing;
  const command = ['nft', ...args].join(' ');
  const complaint = withRights(`${command}: ${stderr.trim().split('\n', 1)[0]}`);
  throw new ToolError(complaint, { command, exitCode, stderr, input: '' });
}
