// What is not ours stays as it is, byte by byte, through everything that we do; what is ours is gone
// after `sluice cleanup`.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Exec } from '../../src/host/tools/exec.ts';
import { manifestDigest } from '../../src/lab/sluice-process.ts';
import { allRules, iptablesRules, nftRules } from '../support/kernel-rules.ts';
import { modes } from '../support/network-namespace.ts';
import { editedManifest, manifest } from './services.ts';
import { standWith } from './stand.ts';

// Tables as kube-proxy's, but of another program: kube-proxy's own would be taken over.
const likeKubeProxys = readFileSync(
  new URL('../fixtures/kube-proxy/nftables.nft', import.meta.url),
  'utf8',
).replaceAll(/^table (ip6?) kube-proxy /gm, 'table $1 kube-proxy-like ');

const foreignTable = `table ip firewalld-like {
  set trusted { type ipv4_addr; elements = { 10.96.0.10, 192.0.2.1 } }
  chain services {
    ip saddr @trusted counter accept comment "not of Kubernetes"
  }
  chain prerouting {
    type nat hook prerouting priority -110; policy accept;
    jump services
  }
}
`;

// The kubelet's, in IPv4; ours is the same, and stays where the kubelet has none.
const localnetRule = `-A KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m comment --comment "block incoming localnet connections" -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP
`;

// The kubelet's chains look much like ours, and one rule of the administrator stands behind a jump.
const foreignChains = `*mangle
:KUBE-IPTABLES-HINT - [0:0]
:KUBE-KUBELET-CANARY - [0:0]
COMMIT
*filter
:KUBE-FIREWALL - [0:0]
:KUBE-KUBELET-CANARY - [0:0]
:site-policy - [0:0]
-A INPUT -j KUBE-FIREWALL
-A FORWARD -m comment --comment "before KUBE-SERVICES" -j site-policy
-A OUTPUT -j KUBE-FIREWALL
-A KUBE-FIREWALL -m comment --comment "kubernetes firewall for dropping marked packets" -m mark --mark 0x8000/0x8000 -j DROP
${localnetRule}-A site-policy -p tcp -m tcp --dport 25 -j DROP
COMMIT
*nat
:KUBE-KUBELET-CANARY - [0:0]
:KUBE-MARK-DROP - [0:0]
:site-nat - [0:0]
-A PREROUTING -j site-nat
-A POSTROUTING -o uplink0 -j MASQUERADE
-A KUBE-MARK-DROP -j MARK --set-xmark 0x8000/0x8000
-A site-nat -p tcp -m tcp --dport 2222 -j REDIRECT --to-ports 22
COMMIT
`;

async function installForeign(exec: Exec): Promise<void> {
  await exec('nft', ['-f', '-'], { input: foreignTable });
  await exec('nft', ['-f', '-'], { input: likeKubeProxys });
  await exec('iptables-restore', [], { input: foreignChains });
  await exec('ip6tables-restore', [], { input: foreignChains.replace(localnetRule, '') });
}

/** All there is of the other programs, which keep to nft. */
async function foreignTables(exec: Exec): Promise<string> {
  const tables = ['ip firewalld-like', 'ip kube-proxy-like', 'ip6 kube-proxy-like'];
  const texts = tables.map((table) => nftRules(exec, ['table', ...table.split(' ')]));
  return (await Promise.all(texts)).join('');
}

/** The lines of `now` that stood in `before`, in the order of now. */
function linesFrom(before: string, now: string): string {
  const known = new Set(before.split('\n'));
  return now
    .split('\n')
    .filter((line) => known.has(line))
    .join('\n');
}

describe.each(modes)('with %s', (mode) => {
  test('only what is ours comes, changes and goes', async () => {
    const stand = await standWith(mode, manifest);
    const { exec } = stand;
    await installForeign(exec);
    const tables = await foreignTables(exec);
    const chains = await iptablesRules(exec);
    const everything = await allRules(exec, mode);
    const expectForeignUntouched = async (): Promise<void> => {
      expect(await foreignTables(exec)).toBe(tables);
      expect(linesFrom(chains, await iptablesRules(exec))).toBe(chains);
    };

    await exec('ip', ['link', 'set', 'lo', 'up']);
    const sluice = stand.start({ manifests: stand.manifests, proxyMode: mode });
    await sluice.inStep(manifestDigest(manifest));
    await expectForeignUntouched();
    const running = await allRules(exec, mode);
    const refused = await stand.sluice(['cleanup']);
    expect(refused).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: `sluice: nothing was removed: sluice run (process ${sluice.pid}) puts its rules back: end it first (kubectl -n kube-system delete daemonset sluice, or kill ${sluice.pid})\n`,
    });
    expect(await allRules(exec, mode)).toBe(running);
    await stand.rewrite(editedManifest);
    await sluice.inStep(manifestDigest(editedManifest));
    await expectForeignUntouched();
    await sluice.stop();

    const ours = await allRules(exec, mode);
    expect(ours).not.toBe(everything);
    // All modes, whichever it was.
    const cleanup = ['cleanup'];
    const shown = await stand.sluice([...cleanup, '--dry-run']);
    expect({ ...shown, stdout: signs(shown.stdout) }).toEqual({
      exitCode: 0,
      stdout: ['-'],
      stderr: '',
    });
    expect(await allRules(exec, mode)).toBe(ours);

    const setting = 'put back net.ipv4.conf.all.route_localnet=0\n';
    const putBack = mode === 'iptables' ? setting : '';
    expect(await stand.sluice(cleanup)).toEqual(
      cleaned(`removed our rules of ${mode} mode`, putBack),
    );
    expect(await allRules(exec, mode)).toBe(everything);
    await expectForeignUntouched();
    expect(await stand.sluice(cleanup)).toEqual(cleaned('nothing of ours'));
    expect(await allRules(exec, mode)).toBe(everything);
  });
});

function cleaned(what: string, more = ''): object {
  return { exitCode: 0, stdout: '', stderr: `IPv4: ${what}\nIPv6: ${what}\n${more}` };
}

function signs(text: string): readonly string[] {
  return [...new Set([...text.matchAll(/^ {2}(\S) IPv[46] /gm)].map(([, sign = '']) => sign))];
}
