// What doctor looks at for iptables mode.
import type { Check, Finding } from '../../host/finding.ts';
import { installWith } from '../../host/finding.ts';
import type { IptablesFacts, IptablesVariant, NodeFacts } from '../../host/node-facts.ts';
import { versionIn } from '../../netfilter/version.ts';
import { passedBy, readForwardFilter } from '../../netfilter/kube-proxy/forward-filter.ts';
import { iptablesShortcoming } from '../../netfilter/requirements.ts';
import { fixedChains, isBranchChain, kubeletChains, portPrefixOf } from './names.ts';

const { services, nodePorts, externalServices, externalNodePorts, proxyCanary } = fixedChains;
const entries: ReadonlySet<string> = new Set([services, nodePorts, externalServices, proxyCanary]);
const kubelets: ReadonlySet<string> = new Set(kubeletChains);

/** Those by which packets get to Services, of kube-proxy and of our iptables mode. */
function isEntry(chain: string): boolean {
  const prefix = portPrefixOf(chain);
  return entries.has(chain) || prefix === 'KUBE-SVC' || prefix === 'KUBE-SEP';
}

/** Those that only our iptables mode has. */
function isOurs(chain: string): boolean {
  return chain === externalNodePorts || isBranchChain(chain);
}

/** Whether the iptables of iptables mode is there, and new enough. */
export const iptablesCheck: Check = ({ tools: { iptables } }, { proxyMode }) => {
  const isNeeded = proxyMode === 'iptables';
  const version = versionIn(iptables ?? '');
  if (iptables === undefined || version === undefined) {
    if (!isNeeded)
      return [{ check: 'iptables', status: 'ok', finding: 'not installed, nor needed' }];
    const finding = 'iptables is not installed: iptables mode needs it';
    return [{ check: 'iptables', status: 'fail', finding, fix: `${installWith} iptables` }];
  }
  const shortcoming = isNeeded ? iptablesShortcoming(iptables) : undefined;
  if (shortcoming !== undefined) {
    const fix = `${installWith} iptables`;
    return [{ check: 'iptables', status: 'fail', finding: shortcoming, fix }];
  }
  const variant = /\((\w+)\)/.exec(iptables)?.[1];
  const name = `iptables ${version.join('.')}${variant === undefined ? '' : ` (${variant})`}`;
  return [{ check: 'iptables', status: 'ok', finding: name }];
};

/** Service rules in iptables, where they are not those in use. */
export const iptablesRulesCheck: Check = (facts, { proxyMode }) => {
  const check = 'iptables rules';
  const unread = facts.iptables.filter(({ chains }) => chains === undefined);
  const unknown = unread.map(({ variant, family }): Finding => {
    return { check, status: 'unknown', finding: `${family} rules of ${variant} cannot be read` };
  });
  const holding = facts.iptables.filter(hasChains(isEntry));
  const variants = new Set(holding.map(({ variant }) => variant));
  const cleanup = 'sluice cleanup --proxy-mode iptables';
  if (proxyMode === 'nftables' && holding.length > 0) {
    const whose = holding.some(hasChains(isOurs)) ? 'Sluice in iptables mode' : 'kube-proxy';
    const finding = `rules of ${whose} are in ${placesOf(holding)}: they act beside the nftables table`;
    return [{ check, status: 'fail', finding, fix: cleanup }, ...unknown];
  }
  if (variants.size > 1) {
    const unused = unusedVariant(facts.iptables);
    const finding = `Service rules are in iptables-nft and in iptables-legacy: both act, and ${unused} is not this node's`;
    const fix = `for t in iptables ip6tables; do $t-${unused}-save | grep -v KUBE- | $t-${unused}-restore; done`;
    return [{ check, status: 'fail', finding, fix }, ...unknown];
  }
  if (unknown.length > 0) return unknown;
  const finding = holding.length === 0 ? 'none of any Service proxy' : `in ${placesOf(holding)}`;
  return [{ check, status: 'ok', finding }];
};

/** Whether FORWARD lets Service traffic pass, where no rule of ours is there to accept it. */
export const forwardCheck: Check = (facts, { proxyMode }) => {
  const check = 'FORWARD';
  if (proxyMode === 'iptables') return [{ check, status: 'ok', finding: 'KUBE-FORWARD accepts' }];
  const stopping = facts.iptables.flatMap(({ variant, family, filter = '' }) => {
    const read = readForwardFilter(filter);
    const passed = read === undefined ? 'all' : passedBy(read);
    const tool = `${family === 'IPv4' ? 'iptables' : 'ip6tables'}-${variant}`;
    return passed === 'all' ? [] : [{ tool, passed }];
  });
  const none = stopping.filter(({ passed }) => passed === 'none');
  if (none.length > 0) {
    return none.map(({ tool }): Finding => {
      const finding = `the chain FORWARD of ${tool} stops all Service traffic to pods, and nftables mode has no rule there`;
      return { check, status: 'fail', finding, fix: `${tool} ${acceptTranslated}` };
    });
  }
  const tools = stopping.map(({ tool }) => tool).join(', ');
  const some = `rules of others let some Service traffic pass, and stop the rest (${tools})`;
  return [{ check, status: 'ok', finding: stopping.length === 0 ? 'lets packets pass' : some }];
};

const acceptTranslated = '-I FORWARD -m conntrack --ctstate DNAT -j ACCEPT';

/** The variant that the kubelet does not use. */
function unusedVariant(all: NodeFacts['iptables']): IptablesVariant {
  const found = all.find(hasChains((chain) => kubelets.has(chain)));
  return found?.variant === 'legacy' ? 'nft' : 'legacy';
}

/** Whether rules of this mode are here that kube-proxy did not make. */
export function hasIptablesRules({ iptables }: NodeFacts): boolean {
  return iptables.some(({ chains }) => chains?.has(externalNodePorts) === true);
}

function hasChains(isLooked: (chain: string) => boolean): (facts: IptablesFacts) => boolean {
  return ({ chains }) => [...(chains ?? [])].some(isLooked);
}

function placesOf(facts: NodeFacts['iptables']): string {
  const tools = facts.map(({ variant, family }) => {
    return `${family === 'IPv4' ? 'iptables' : 'ip6tables'}-${variant}`;
  });
  return [...new Set(tools)].join(', ');
}
