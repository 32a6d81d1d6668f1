// Are the kernel, Node and the tools recent enough, and are they there at all?
import type { Check, Finding } from '../finding.ts';
import { isOlder, versionIn } from '../finding.ts';

const install = 'apt-get install -y --no-install-recommends';

export const kernelCheck: Check = ({ kernel }, { proxyMode }) => {
  const version = versionIn(kernel);
  if (version === undefined) {
    return [{ check: 'kernel', status: 'unknown', finding: 'uname -r does not tell its version' }];
  }
  // What kube-proxy's nftables mode asks for (KEP-3866); older kernels lack parts of it.
  const isOld = proxyMode === 'nftables' && isOlder(version, [5, 13]);
  if (!isOld) return [{ check: 'kernel', status: 'ok', finding: kernel }];
  return [
    {
      check: 'kernel',
      status: 'fail',
      finding: `${kernel}: nftables mode needs 5.13`,
      fix: 'sluice run --proxy-mode iptables',
    },
  ];
};

export const nodeCheck: Check = ({ node }) => {
  const isOld = isOlder(versionIn(node) ?? [0], [22, 19]);
  if (!isOld) return [{ check: 'node', status: 'ok', finding: node }];
  const finding = `${node}: Sluice is written for 22.19 and newer`;
  return [{ check: 'node', status: 'fail', finding, fix: 'npm install --no-save node@24' }];
};

// 1.0.0 and older read every table there is for whatever they are asked, and crash on newer ones'.
export const nftCheck: Check = ({ tools: { nft }, hasNftJson }, { proxyMode }) => {
  const isNeeded = proxyMode === 'nftables';
  const missing = isNeeded ? 'fail' : 'ok';
  const version = versionIn(nft ?? '');
  if (nft === undefined || version === undefined) {
    const finding = `nft is not installed${isNeeded ? ': nftables mode needs it' : ''}`;
    const fix = isNeeded ? { fix: `${install} nftables` } : {};
    return [{ check: 'nft', status: missing, finding, ...fix }];
  }
  const name = `nft ${version.join('.')}`;
  if (isOlder(version, [1, 0, 1])) {
    const finding = `${name} reads all tables of others, and crashes on those of newer ones`;
    return [{ check: 'nft', status: missing, finding, fix: `${install} nftables` }];
  }
  if (hasNftJson === false) {
    const finding = `${name} is built without JSON, by which rules are read back`;
    return [{ check: 'nft', status: missing, finding, fix: `${install} nftables` }];
  }
  return [{ check: 'nft', status: 'ok', finding: name }];
};

// 1.8.0 to 1.8.3 lose rules in their nf_tables variant (kubernetes/kubernetes#71305); 1.6.2 brought
// what is used here.
export const iptablesCheck: Check = ({ tools: { iptables } }, { proxyMode }) => {
  const isNeeded = proxyMode === 'iptables';
  const version = versionIn(iptables ?? '');
  if (iptables === undefined || version === undefined) {
    if (!isNeeded)
      return [{ check: 'iptables', status: 'ok', finding: 'not installed, nor needed' }];
    const finding = 'iptables is not installed: iptables mode needs it';
    return [{ check: 'iptables', status: 'fail', finding, fix: `${install} iptables` }];
  }
  const variant = /\((\w+)\)/.exec(iptables)?.[1];
  const name = `iptables ${version.join('.')}${variant === undefined ? '' : ` (${variant})`}`;
  const isFaulty = !isOlder(version, [1, 8, 0]) && isOlder(version, [1, 8, 4]);
  if (isNeeded && (isOlder(version, [1, 6, 2]) || isFaulty)) {
    const finding = `${name} ${isFaulty ? 'has faults that lose rules' : 'is too old'}: 1.8.4 is the first without`;
    return [{ check: 'iptables', status: 'fail', finding, fix: `${install} iptables` }];
  }
  return [{ check: 'iptables', status: 'ok', finding: name }];
};

export const conntrackToolCheck: Check = ({ tools: { conntrack } }): readonly Finding[] => {
  const version = versionIn(conntrack ?? '');
  if (version !== undefined) {
    return [{ check: 'conntrack', status: 'ok', finding: `conntrack ${version.join('.')}` }];
  }
  const finding =
    'conntrack is not installed: UDP and SCTP flows stay with endpoints that are gone';
  return [{ check: 'conntrack', status: 'warn', finding, fix: `${install} conntrack` }];
};
