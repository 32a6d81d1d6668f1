// The iptables backend: the pure parts of this folder joined to the iptables tools, in whichever
// variant (nf_tables or legacy) they are installed. Only our own chains are written.
import { ToolError } from '../../errors.ts';
import type { Exec } from '../../host/exec.ts';
import type { Backend } from '../backend.ts';
import { IptablesAssembly } from './assembly.ts';
import { parseSaved } from './observe.ts';
import { probeTools, tools } from './probe.ts';
import { encodeTransaction, locateFailure } from './restore.ts';
import type { IptablesUnit } from './unit.ts';

// As kube-proxy: seconds to wait for another program that holds the lock of the legacy variant.
const lockSeconds = '5';

// The nf_tables variant takes minutes for the first load of ten thousand Services.
const restoreTimeoutMs = 600_000;

/**
 * Programs iptables through `exec`. A plan is one iptables-restore; each table of it is atomic, the
 * filter table before the nat table.
 */
export function createIptablesBackend(exec: Exec): Backend<IptablesUnit> {
  return {
    name: 'iptables',
    probe: () => probeTools(exec),
    assemble: (parts, { family }) => new IptablesAssembly(family, parts),
    async observe(family) {
      const save = `${tools[family]}-save`;
      const saved = [await exec(save, ['-t', 'filter']), await exec(save, ['-t', 'nat'])];
      return parseSaved(saved.map(({ stdout }) => stdout).join(''));
    },
    parse: (_family, saved) => parseSaved(saved),
    encode: (_family, plan) => encodeTransaction(plan),
    async apply(family, plan) {
      const input = encodeTransaction(plan);
      if (input === '') return;
      const args = ['-w', lockSeconds, '--noflush'];
      try {
        await exec(`${tools[family]}-restore`, args, { input, timeoutMs: restoreTimeoutMs });
      } catch (error) {
        throw error instanceof ToolError ? locateFailure(error) : error;
      }
    },
  };
}
