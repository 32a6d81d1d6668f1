// What other Service proxies left here: their rules go on acting on packets beside ours.
import type { IptablesFacts } from '../../host/node-facts.ts';
import type { Check, Finding } from '../../host/finding.ts';

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
