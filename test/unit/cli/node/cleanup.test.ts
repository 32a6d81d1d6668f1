// What a mode put into the kernel is shown and removed, and nothing else, by whole command lines.
import { expect, test } from 'vitest';
import { flagsFor, modes } from '../../../support/network-namespace.ts';
import { nodeInMemory } from '../../../support/node-in-memory.ts';
import { manifestOf } from '../../../support/service-objects.ts';
import { session } from '../../../support/session.ts';

const stdin = manifestOf([{ name: 'web', ip: '10.96.0.10', endpoints: ['10.244.2.11'] }]);

// An administrator's chain, the kubelet's canary, and a rule of somebody that leads to a chain of ours.
const foreign = `*nat
:KUBE-KUBELET-CANARY - [0:0]
:site - [0:0]
-I PREROUTING -j site
-A site -d 192.0.2.1/32 -j KUBE-MARK-MASQ
COMMIT
`;

/** One thing of ours, by the tool of each mode. */
const remains = {
  nftables: [
    'nft',
    ['-j', '-f', '-'],
    '{"nftables":[{"add":{"table":{"family":"ip","name":"sluice"}}}]}',
  ],
  iptables: ['iptables-restore', ['--noflush'], '*nat\n:KUBE-NODEPORTS - [0:0]\nCOMMIT\n'],
} as const;

test.each(modes)('in %s mode', async (mode) => {
  const { exec, iptables } = nodeInMemory();
  const flags = flagsFor(mode);
  const { run, text } = session({ exec }, [[` ${flags.join(' ')}`, '']]);
  await run(['cleanup', ...flags]);
  await run(['takeover', ...flags, '--manifests', '-', '--before-file', '/nowhere'], { stdin });
  if (mode === 'iptables') await exec('iptables-restore', ['--noflush'], { input: foreign });
  await run(['cleanup', ...flags, '--dry-run']);
  await run(['cleanup', ...flags]);
  await run(['cleanup', ...flags]);
  const [tool = '', args, input] = remains[mode];
  await exec(tool, args, { input });
  await run(['cleanup', ...flags, '--dry-run', '-o', 'json']);
  const { stdout } = await exec('nft', ['list', 'tables']);
  const left = `nft list tables:\n${stdout}\niptables-save:\n${iptables.saved()}`;
  await expect(`${text()}\n${left}`).toMatchFileSnapshot(`cleanup.${mode}.txt`);
});
