// The conntrack entries that a change of Services lets go of: what changes in, a count by Service address
// out. Reads this network namespace's table, and changes nothing.
import type { ServiceChange } from '../../diff/service-change.ts';
import { MissingToolError, ToolError } from '../../errors.ts';
import { findStaleFlows } from '../../host/netfilter/conntrack-count.ts';
import type { ExecLines } from '../../host/tools/exec-lines.ts';
import { frontendId } from '../../model/forwarding.ts';
import type { Family, Ip } from '../../model/ip.ts';
import type { FlowView } from '../../netfilter/flows.ts';
import { flowJudge, watchedProtocols } from '../../netfilter/flows.ts';
import { takesNodePorts } from '../../model/settings.ts';
import type { Unit } from '../../netfilter/program.ts';
import type { Desired } from '../../sync/desired.ts';

/** What counting takes. */
export type FlowCountOptions = {
  readonly execLines: ExecLines;
  readonly signal: AbortSignal;
  readonly hostIps: () => readonly Ip[];
};

type Wanted = Pick<Desired<Unit>, 'decisions' | 'settings'>;

// A table of a million entries is read in a few seconds.
const timeoutMs = 30_000;

/**
 * How many entries go, by `family frontend`; undefined where the tool is not there or may not look.
 * What has to go is decided as the daemon decides it.
 */
export async function countStaleFlows(
  changes: readonly ServiceChange[],
  wanted: readonly { readonly family: Family; readonly desired: Wanted }[],
  { execLines, signal, hostIps }: FlowCountOptions,
): Promise<ReadonlyMap<string, number> | undefined> {
  const counts = new Map<string, number>();
  try {
    for (const { family, desired } of wanted) {
      const touched = touchedIn(changes, family);
      const { nodePorts } = desired.settings;
      const view: FlowView = {
        frontendAt: (id) => desired.decisions.frontendAt(id),
        takesNodePorts: (ip) => takesNodePorts(nodePorts, ip, hostIps()),
      };
      const isStale = flowJudge(touched, view);
      for (const protocol of watchedProtocols) {
        const ports = portsOf(touched, protocol);
        if (ports.size === 0) continue;
        const onStale = ({ destination: ip, destinationPort: port }: StaleFlow): void => {
          const at = frontendId({ ip, protocol, port });
          const id = touched.has(at) ? at : frontendId({ ip: undefined, protocol, port });
          counts.set(`${family} ${id}`, (counts.get(`${family} ${id}`) ?? 0) + 1);
        };
        const selection = { family, protocol, ports, isStale };
        await findStaleFlows(execLines, selection, { onStale, signal, timeoutMs });
      }
    }
  } catch (error) {
    if (error instanceof MissingToolError || error instanceof ToolError) return undefined;
    throw error;
  }
  return counts;
}

type StaleFlow = { readonly destination: Ip; readonly destinationPort: number };

function touchedIn(changes: readonly ServiceChange[], family: Family): ReadonlySet<string> {
  const ports = changes.flatMap((change) => change.ports).filter((port) => port.family === family);
  return new Set(ports.flatMap(({ addresses }) => addresses.map(frontendId)));
}

// An id is `protocol address port`.
function portsOf(ids: ReadonlySet<string>, protocol: string): ReadonlySet<number> {
  const own = [...ids].filter((id) => id.startsWith(`${protocol} `));
  return new Set(own.map((id) => Number(id.slice(id.lastIndexOf(' ') + 1))));
}
