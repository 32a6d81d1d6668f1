// Sluice with each iptables that Debian has, in both variants. Needs root, and a Debian mirror at its first
// run.
import { describe, test } from 'vitest';
import { everyDebian } from '../support/debian-tools.ts';
import { expectServing } from './serving.ts';

describe.each(await everyDebian('iptables'))(
  'iptables $version ($release)',
  ({ version, path }) => {
    test('nf_tables serves', async () => {
      await expectServing({
        proxyMode: 'iptables',
        path,
        finding: `iptables ${version} (nf_tables)`,
        drift: ['iptables-nft', '-t', 'nat', '-F', 'KUBE-SERVICES'],
      });
    });

    test('legacy serves where the kubelet uses it', async () => {
      await expectServing({
        proxyMode: 'iptables',
        path,
        before: [['iptables-legacy', '-t', 'mangle', '-N', 'KUBE-IPTABLES-HINT']],
        finding: `iptables ${version} (legacy)`,
      });
    });
  },
);
