// The Service rules in the kernel that ours take the place of, read and traced: kube-proxy's, or ours of the other
// mode. With them, what iptables lets through FORWARD, before and after.
import type { Exec } from '../host/tools/exec.ts';
import type { ProxyMode } from '../model/config.ts';
import type { FrontendAddress } from '../model/forwarding.ts';
import type { Family, Ip } from '../model/ip.ts';
import { iptablesAddresses, nftAddresses } from '../netfilter/kube-proxy/addresses.ts';
import { throughForward } from '../netfilter/kube-proxy/forward-filter.ts';
import type { KubeForward } from '../netfilter/kube-proxy/forward-filter.ts';
import type { Tracer } from '../netfilter/kube-proxy/outcome.ts';
import { readIptables } from '../netfilter/kube-proxy/read-iptables.ts';
import { readNft } from '../netfilter/kube-proxy/read-nft.ts';
import { traceIptables } from '../netfilter/kube-proxy/trace-iptables.ts';
import { traceNft } from '../netfilter/kube-proxy/trace-nft.ts';
import { plan } from '../netfilter/plan.ts';
import { createIptablesBackend } from './iptables/backend.ts';
import { readForwardPath } from './iptables/read/forward.ts';
import { isKubeProxysProgram, kubeProxyTable } from './kube-proxy.ts';
import { createNftablesBackend } from './nftables/backend.ts';
import { traitsOf } from './traits.ts';

/** Service rules that are in the kernel. */
export type OtherRules = {
  /** `kube-proxy in iptables mode`. */
  readonly whose: string;
  readonly mode: ProxyMode;
  readonly tracer: Tracer;
  readonly addresses: readonly FrontendAddress[];
  /** The same packets through our rules, on this host, once these rules are gone. */
  readonly replacedBy: (ours: Tracer) => Tracer;
};

type Read = Pick<OtherRules, 'whose' | 'mode' | 'tracer' | 'addresses'>;

/** Where they are read. */
export type OtherRulesOptions = {
  readonly family: Family;
  /** All addresses on the host's interfaces. */
  readonly hostIps: readonly Ip[];
  /** The mode of our rules that are to be there; those of ours that have it are no others. */
  readonly mode: ProxyMode;
};

/**
 * Reads the rules that act now; undefined where there are none but ours of `mode`. A table comes first: proxies leave
 * chains of iptables behind when their mode changes.
 */
export async function readOtherRules(
  exec: Exec,
  options: OtherRulesOptions,
): Promise<OtherRules | undefined> {
  const read = (await readTables(exec, options)) ?? (await readChains(exec, options));
  if (read === undefined) return undefined;
  const path = await readForwardPath(exec, options.family, options.hostIps);
  const through =
    (tracer: Tracer, kube: KubeForward): Tracer =>
    (packet) =>
      throughForward(tracer(packet), packet, { path, kube });
  const after = traitsOf(options.mode).rules.acceptsForwarded ? 'there' : 'gone';
  return {
    ...read,
    tracer: through(read.tracer, 'as it is'),
    replacedBy: (ours) => through(ours, after),
  };
}

async function readTables(exec: Exec, options: OtherRulesOptions): Promise<Read | undefined> {
  const { family, hostIps, mode } = options;
  const [word, name] = kubeProxyTable[family];
  const { stdout, exitCode } = await exec('nft', ['-j', 'list', 'table', word, name], {
    allowedExitCodes: [1],
  });
  const table = exitCode === 0 ? readNft(stdout, { family, name }) : undefined;
  if (table !== undefined) {
    const tracer: Tracer = (packet) => traceNft({ table, hostIps }, packet);
    const whose = 'kube-proxy in nftables mode';
    return { whose, mode: 'nftables', tracer, addresses: nftAddresses(table) };
  }
  return mode === 'nftables' ? undefined : readOwnTable(exec, options);
}

async function readOwnTable(
  exec: Exec,
  { family, hostIps }: OtherRulesOptions,
): Promise<Read | undefined> {
  const backend = createNftablesBackend(exec, 'text');
  const program = await backend.observe(family);
  if (program.size === 0) return undefined;
  const met = backend.tracer(program, { family, hostIps });
  return {
    whose: 'Sluice in nftables mode',
    mode: 'nftables',
    tracer: (packet) => met(packet).outcomes,
    addresses: backend.served(family, program).map(({ address }) => address),
  };
}

async function readChains(exec: Exec, options: OtherRulesOptions): Promise<Read | undefined> {
  const { family, hostIps, mode } = options;
  const backend = createIptablesBackend(exec);
  await backend.probe();
  const present = await backend.observe(family);
  const isKubeProxys = isKubeProxysProgram(present);
  const isNothing = plan(present, new Map()).length === 0;
  if (isNothing || (mode === 'iptables' && !isKubeProxys)) return undefined;
  const rules = readIptables(await backend.list(family));
  return {
    whose: `${isKubeProxys ? 'kube-proxy' : 'Sluice'} in iptables mode`,
    mode: 'iptables',
    tracer: (packet) => traceIptables({ rules, hostIps }, packet),
    addresses: iptablesAddresses(rules),
  };
}
