// Is Node recent enough, and is there a tool for connections?
import { isOlder, versionIn } from '../../netfilter/version.ts';
import type { Check, Finding } from '../../host/finding.ts';
import { installWith } from '../../host/finding.ts';

export const nodeCheck: Check = ({ node }) => {
  const isOld = isOlder(versionIn(node) ?? [0], [22, 19]);
  if (!isOld) return [{ check: 'node', status: 'ok', finding: node }];
  const finding = `${node}: Sluice is written for 22.19 and newer`;
  return [{ check: 'node', status: 'fail', finding, fix: 'npm install --no-save node@24' }];
};

export const conntrackToolCheck: Check = ({ tools: { conntrack } }): readonly Finding[] => {
  const version = versionIn(conntrack ?? '');
  if (version !== undefined) {
    return [{ check: 'conntrack', status: 'ok', finding: `conntrack ${version.join('.')}` }];
  }
  const finding =
    'conntrack is not installed: UDP and SCTP flows stay with endpoints that are gone';
  return [{ check: 'conntrack', status: 'warn', finding, fix: `${installWith} conntrack` }];
};
