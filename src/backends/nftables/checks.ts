// What doctor looks at for nftables mode.
import type { Check } from '../../host/finding.ts';
import { installWith } from '../../host/finding.ts';
import type { NodeFacts } from '../../host/node-facts.ts';
import { versionIn } from '../../netfilter/version.ts';
import { kernelShortcoming, nftShortcoming } from '../../netfilter/requirements.ts';
import { tableName } from './schema.ts';

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

export const nftCheck: Check = ({ tools: { nft }, hasNftJson }, { proxyMode }) => {
  const isNeeded = proxyMode === 'nftables';
  const missing = isNeeded ? 'fail' : 'ok';
  const version = versionIn(nft ?? '');
  if (nft === undefined || version === undefined) {
    const finding = `nft is not installed${isNeeded ? ': nftables mode needs it' : ''}`;
    const fix = isNeeded ? { fix: `${installWith} nftables` } : {};
    return [{ check: 'nft', status: missing, finding, ...fix }];
  }
  const name = `nft ${version.join('.')}`;
  const shortcoming =
    nftShortcoming(nft) ??
    (hasNftJson === false
      ? `${name} is built without JSON, by which rules are read back`
      : undefined);
  if (shortcoming === undefined) return [{ check: 'nft', status: 'ok', finding: name }];
  return [{ check: 'nft', status: missing, finding: shortcoming, fix: `${installWith} nftables` }];
};

/** Our own table where iptables mode is in use. */
export const ownTableCheck: Check = ({ nftTables = [] }, { proxyMode }) => {
  const check = 'own rules';
  const found = nftTables.filter(isOurs);
  if (proxyMode === 'nftables' || found.length === 0) return [];
  const finding = 'the table of nftables mode is there too: both modes act';
  const fix = 'sluice cleanup --proxy-mode nftables';
  return [{ check, status: 'fail', finding, fix }];
};

/** Whether rules of this mode are here. */
export function hasNftablesRules({ nftTables = [] }: NodeFacts): boolean {
  return nftTables.some(isOurs);
}

function isOurs(table: string): boolean {
  return table === `ip ${tableName}` || table === `ip6 ${tableName}`;
}
