// What other Service proxies left here, and our own rules in a mode that is not in use: their rules go on
// acting on packets beside ours.
import type { IptablesFacts, IptablesVariant, NodeFacts } from '../../host/node-facts.ts';
import type { Check, Finding } from '../finding.ts';

// Those by which packets get to Services, of kube-proxy and of our iptables mode.
const entry = /^KUBE-(SERVICES|NODEPORTS|EXTERNAL-SERVICES|PROXY-CANARY|SVC-.+|SEP-.+)$/;
// Only our iptables mode has these.
const ours = /^KUBE-(SVCS-.+|NPS-.+|EXTERNAL-NODEPORTS)$/;
// Those that kube-proxy's IPVS mode made in addition.
const ipvs = /^KUBE-(LOAD-BALANCER|NODE-PORT|IPVS-FILTER|IPVS-OUT-FILTER|SOURCE-RANGES-FIREWALL)$/;
const ipvsNames =
  'KUBE-(LOAD-BALANCER|NODE-PORT|IPVS-FILTER|IPVS-OUT-FILTER|SOURCE-RANGES-FIREWALL)';

/** kube-proxy's table in nftables, one a family. */
export const kubeProxyTableCheck: Check = ({ nftTables, tools }) => {
  const check = 'kube-proxy nft';
  if (nftTables === undefined) {
    if (tools.nft === undefined) return [];
    return [{ check, status: 'unknown', finding: 'nft does not list tables' }];
  }
  const found = nftTables.filter((name) => /^ip6? kube-proxy$/.test(name));
  if (found.length === 0) return [{ check, status: 'ok', finding: 'no table of kube-proxy' }];
  return found.map((name) => ({
    check,
    status: 'fail',
    finding: `table ${name} of kube-proxy is there: its rules act beside ours`,
    fix: `nft delete table ${name}`,
  }));
};

/** Service rules in iptables, where they are not those in use. */
export const iptablesRulesCheck: Check = (facts, { proxyMode }) => {
  const check = 'iptables rules';
  const unread = facts.iptables.filter(({ chains }) => chains === undefined);
  const unknown = unread.map(({ variant, family }): Finding => {
    return { check, status: 'unknown', finding: `${family} rules of ${variant} cannot be read` };
  });
  const holding = facts.iptables.filter(hasChains(entry));
  const variants = new Set(holding.map(({ variant }) => variant));
  const cleanup = 'sluice cleanup --proxy-mode iptables';
  if (proxyMode === 'nftables' && holding.length > 0) {
    const whose = holding.some(hasChains(ours)) ? 'Sluice in iptables mode' : 'kube-proxy';
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

/** The variant that the kubelet does not use. */
function unusedVariant(all: NodeFacts['iptables']): IptablesVariant {
  const kubelets = all.find(hasChains(/^KUBE-(IPTABLES-HINT|KUBELET-CANARY)$/));
  return kubelets?.variant === 'legacy' ? 'nft' : 'legacy';
}

/** Our own table where iptables mode is in use. */
export const ownTableCheck: Check = ({ nftTables = [] }, { proxyMode }) => {
  const check = 'own rules';
  const found = nftTables.filter((name) => /^ip6? sluice$/.test(name));
  if (proxyMode === 'nftables' || found.length === 0) return [];
  const finding = 'the table of nftables mode is there too: both modes act';
  const fix = 'sluice cleanup --proxy-mode nftables';
  return [{ check, status: 'fail', finding, fix }];
};

/** What kube-proxy's IPVS mode leaves. */
export const ipvsCheck: Check = (facts) => {
  const check = 'IPVS';
  const { interfaces = [], ipsets = [] } = facts;
  const findings: Finding[] = [];
  if (interfaces.some(({ name }) => name === 'kube-ipvs0')) {
    const finding =
      'interface kube-ipvs0 of kube-proxy holds Service addresses: this node answers them';
    findings.push({ check, status: 'fail', finding, fix: 'ip link delete kube-ipvs0' });
  }
  for (const { variant, family } of facts.iptables.filter(hasChains(ipvs))) {
    const tool = `${family === 'IPv4' ? 'iptables' : 'ip6tables'}-${variant}`;
    findings.push({
      check,
      status: 'warn',
      finding: `chains of kube-proxy's IPVS mode are in ${tool}`,
      fix: `${tool}-save | grep -vE '${ipvsNames}' | ${tool}-restore`,
    });
  }
  if (ipsets.some((name) => name.startsWith('KUBE-'))) {
    const finding = "sets of kube-proxy's IPVS mode are there (ipset)";
    const fix = 'ipset list -n | grep ^KUBE- | xargs -n1 ipset destroy';
    findings.push({ check, status: 'warn', finding, fix });
  }
  if (findings.length > 0) return findings;
  return [{ check, status: 'ok', finding: 'nothing of kube-proxy in IPVS mode' }];
};

function hasChains(pattern: RegExp): (facts: IptablesFacts) => boolean {
  return ({ chains }) => [...(chains ?? [])].some((name) => pattern.test(name));
}

function placesOf(facts: NodeFacts['iptables']): string {
  const tools = facts.map(({ variant, family }) => {
    return `${family === 'IPv4' ? 'iptables' : 'ip6tables'}-${variant}`;
  });
  return [...new Set(tools)].join(', ');
}
