// Are the kernel, Node and the tools recent enough, and are they there at all?
import {
  iptablesShortcoming,
  kernelShortcoming,
  nftShortcoming,
} from '../../netfilter/requirements.ts';
import { isOlder, versionIn } from '../../netfilter/version.ts';
import type { Check, Finding } from '../finding.ts';

const install = 'apt-get install -y --no-install-recommends';

export const kernelCheck: Check = ({ kernel }, { proxyMode }) => {
  const version = versionIn(kernel);
  if (version === undefined) {
    return [{ check: 'kernel', status: 'unknown', finding: 'uname -r does not tell its version' }];
  }
  const shortcoming = proxyMode === 'nftables' ? kernelShortcoming(kernel) : undefined;
  if (shortcoming === undefined) return [{ check: 'kernel', status: 'ok', finding: kernel }];
  const fix = 'sluice run --proxy-mode iptables';
  return [{ check: 'kernel', status: 'fail', finding: shortcoming, fix }];
};

export const nodeCheck: Check = ({ node }) => {
  const isOld = isOlder(versionIn(node) ?? [0], [22, 19]);
  if (!isOld) return [{ check: 'node', status: 'ok', finding: node }];
  const finding = `${node}: Sluice is written for 22.19 and newer`;
  return [{ check: 'node', status: 'fail', finding, fix: 'npm install --no-save node@24' }];
};

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
  const shortcoming =
    nftShortcoming(nft) ??
    (hasNftJson === false
      ? `${name} is built without JSON, by which rules are read back`
      : undefined);
  if (shortcoming === undefined) return [{ check: 'nft', status: 'ok', finding: name }];
  return [{ check: 'nft', status: missing, finding: shortcoming, fix: `${install} nftables` }];
};

/** What a start asks too: whether kernel and tools take the rules of its mode. */
export const rulesCheck: Check = ({ rulesRefusal }, { proxyMode }) => {
  if (rulesRefusal === undefined) {
    return [{ check: 'rules', status: 'ok', finding: `taken in ${proxyMode} mode` }];
  }
  const other = proxyMode === 'nftables' ? 'iptables' : 'nftables';
  const fix = `sluice run --proxy-mode ${other}`;
  return [{ check: 'rules', status: 'fail', finding: rulesRefusal, fix }];
};

export const iptablesCheck: Check = ({ tools: { iptables } }, { proxyMode }) => {
  const isNeeded = proxyMode === 'iptables';
  const version = versionIn(iptables ?? '');
  if (iptables === undefined || version === undefined) {
    if (!isNeeded)
      return [{ check: 'iptables', status: 'ok', finding: 'not installed, nor needed' }];
    const finding = 'iptables is not installed: iptables mode needs it';
    return [{ check: 'iptables', status: 'fail', finding, fix: `${install} iptables` }];
  }
  const shortcoming = isNeeded ? iptablesShortcoming(iptables) : undefined;
  if (shortcoming !== undefined) {
    const fix = `${install} iptables`;
    return [{ check: 'iptables', status: 'fail', finding: shortcoming, fix }];
  }
  const variant = /\((\w+)\)/.exec(iptables)?.[1];
  const name = `iptables ${version.join('.')}${variant === undefined ? '' : ` (${variant})`}`;
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
