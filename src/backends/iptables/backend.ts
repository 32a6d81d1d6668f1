// The iptables backend: the pure parts of this folder joined to the iptables tools, in whichever
// variant (nf_tables or legacy) they are installed. Only our own chains are written.
import { ToolError } from '../../errors.ts';
import type { Exec } from '../../host/exec.ts';
import type { Backend } from '../backend.ts';
import { IptablesAssembly } from './assembly.ts';
import { parseSaved } from './observe.ts';
import type { Variant } from './probe.ts';
import { probeTools, tools } from './probe.ts';
import { encodePlan, locateFailure } from './restore.ts';
import { readSaved } from './saved.ts';
import type { IptablesUnit } from './unit.ts';

// As kube-proxy: seconds to wait for another program that holds the lock of the legacy variant.
const lockSeconds = '5';

// The largest load that was measured (10,000 Services of 5 endpoints) takes 6 s on an idle machine.
const restoreTimeoutMs = 300_000;

/**
 * Programs iptables through `exec`. A plan is one iptables-restore, which changes what packets meet at
 * once in each table, the filter table before the nat table. One that fails may leave the filter table
 * changed, and chains that nothing leads to: observe tells.
 */
export function createIptablesBackend(exec: Exec): Backend<IptablesUnit> {
  // Until probed; it bears on speed alone.
  let variant: Variant = 'nf_tables';

  return {
    name: 'iptables',
    async probe() {
      const { families, findings, variant: found } = await probeTools(exec);
      variant = found;
      return { families, findings };
    },
    assemble: (parts, { family }) => new IptablesAssembly(family, parts),
    async observe(family) {
      const save = `${tools[family]}-save`;
      const saved = [await exec(save, ['-t', 'filter']), await exec(save, ['-t', 'nat'])];
      return parseSaved(family, saved.map(({ stdout }) => stdout).join(''));
    },
    parse: readSaved,
    encode: (family, plan) => encodePlan(family, plan, variant),
    async apply(family, plan) {
      if (plan.length === 0) return;
      const args = ['-w', lockSeconds, '--noflush'];
      const options = { input: encodePlan(family, plan, variant), timeoutMs: restoreTimeoutMs };
      try {
        await exec(`${tools[family]}-restore`, args, options);
      } catch (error) {
        throw error instanceof ToolError ? locateFailure(error) : error;
      }
    },
  };
}
