// Nodes that are not as they should be, in real kernels: what stands there, or what is missing, is told,
// and IPv4 works.
import { hash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backends/backend.ts';
import { createIptablesBackend } from '../../src/backends/iptables/backend.ts';
import type { IptablesUnit } from '../../src/backends/iptables/unit.ts';
import { ClusterState } from '../../src/cluster/state.ts';
import { missingTool, type Exec } from '../../src/host/tools/exec.ts';
import { isTcpLiberal } from '../../src/host/kernel/sysctl.ts';
import { plan } from '../../src/netfilter/plan.ts';
import type { Program } from '../../src/netfilter/program.ts';
import { desiredOf } from '../../src/sync/offline.ts';
import { Reconciler } from '../../src/sync/reconcile.ts';
import { configFor } from '../support/config.ts';
import { machine, ownUnits } from '../support/iptables-machine.ts';
import { bringTo, expectWorking, webRules } from '../support/iptables-web.ts';
import { variants } from '../support/one-variant.ts';
import { clusterObjects } from '../support/service-objects.ts';
import { assembly } from '../unit/backends/iptables/fixture.ts';
import { objectsThen, savedThen } from '../unit/backends/iptables/kube-proxy-node.ts';

const nothing: Program<IptablesUnit> = new Map();
const noRules = assembly('IPv4', []).whole();

function wantedThen(backend: Backend<IptablesUnit>, isLiberal = false): Program<IptablesUnit> {
  const families = ['IPv4'] as const;
  const host = { hostIps: () => [], isTcpLiberal: isLiberal };
  const [found] = desiredOf(backend, objectsThen(), {
    config: configFor('iptables'),
    families,
    ...host,
  });
  if (found === undefined) throw new Error('no IPv4');
  return found.desired.whole();
}

describe.each(variants)('%s', (variant) => {
  test("whatever is missing of kube-proxy's chains, ours stand in the end, and nothing else", async () => {
    const { exec, backend } = await machine(variant);
    const wanted = wantedThen(backend);
    const saved = savedThen('IPv4').split('\n');
    const share = fc.integer({ min: 2, max: 6 });
    const damage = fc.record({ seed: fc.nat(), rules: share, jumps: share, chains: share });
    await fc.assert(
      fc.asyncProperty(damage, async (how) => {
        await exec('iptables-restore', [], { input: damaged(saved, how) });
        const { findings } = await backend.probe();
        expect(findings.join('\n')).toContain('KUBE-PROXY-CANARY');
        const then = await bringTo(backend, wanted);
        expect(ownUnits(then)).toEqual(ownUnits(wanted));
        expect(plan(then, wanted)).toEqual([]);
        expect((await backend.probe()).findings.join('\n')).not.toContain('KUBE-PROXY-CANARY');
        expect(await bringTo(backend, nothing)).toEqual(sharedUnits(then));
      }),
      { numRuns: 8, endOnFailure: true },
    );
  });

  test('a chain that an unknown program jumps to is emptied in place of deleted, and named', async () => {
    const { exec, backend } = await machine(variant);
    await bringTo(backend, webRules);
    const chain = [...webRules.values()].find(({ chain: name }) => name.startsWith('KUBE-SVC-'));
    const target = chain?.chain ?? '';
    const input = `*nat\n:SITE - [0:0]\n-A SITE -p tcp -j ${target}\n-A PREROUTING -j SITE\nCOMMIT\n`;
    await exec('iptables-restore', ['--noflush'], { input });
    expect((await backend.probe()).findings.slice(1)).toEqual([
      `IPv4: SITE in the nat table leads to ${target}: where it is not needed any more it is emptied, but it cannot be deleted before that rule is`,
    ]);
    await expectWorking(backend);

    const held = await bringTo(backend, noRules);
    expect(held.get(`nat ${target}`)).toMatchObject({ text: '', heldBy: ['SITE'] });
    expect(plan(held, noRules)).toEqual([]);
    await expectWorking(backend);

    await bringTo(backend, nothing);
    const { stdout } = await exec('iptables-save', []);
    const left = stdout.split('\n').filter((line) => /^:[KS]|^-A/.test(line));
    expect(left.map((line) => line.replace(/ - .*/, '')).filter(isNotKubelets)).toEqual([
      `:${target}`,
      ':SITE',
      '-A PREROUTING -j SITE',
      `-A SITE -p tcp -j ${target}`,
    ]);

    await exec('iptables', ['-t', 'nat', '-F', 'SITE']);
    expect(ownUnits(await bringTo(backend, nothing))).toEqual(nothing);
  });

  test('a Service goes although an unknown program has come to jump to its chain', async () => {
    const { exec, backend } = await machine(variant);
    const objects = clusterObjects([
      { name: 'web', ip: '10.96.0.1', endpoints: ['10.244.1.1'] },
      { name: 'db', ip: '10.96.0.2', endpoints: ['10.244.1.2'] },
    ]);
    const state = new ClusterState('node-1');
    const reconciler = new Reconciler({
      backend,
      families: ['IPv4'],
      config: configFor('iptables'),
      state,
      hostIps: () => [],
      dryRun: false,
      now: () => 0,
    });
    await reconciler.pass(state.apply(objects.map((object) => ({ op: 'set', object }))));
    const units = [...(await backend.observe('IPv4')).values()];
    const chain = units.find(
      ({ id, owner }) => id.includes('SVC-') && owner === 'default/web',
    )?.chain;
    const input = `*nat\n:SITE - [0:0]\n-A SITE -j ${chain}\nCOMMIT\n`;
    await exec('iptables-restore', ['--noflush'], { input });
    const gone = state.apply([{ op: 'delete', kind: 'Service', id: 'default/web' }]);
    const [pass] = await reconciler.pass(gone);
    // Where the tool says no more than that it is busy, it takes a second look at what is there.
    if (pass?.error !== undefined) await reconciler.pass(state.apply([]));
    const then = await backend.observe('IPv4');
    const left = [...then.values()].filter(({ owner }) => owner === 'default/web');
    expect(left).toEqual([]);
    expect(then.get(`nat ${chain}`)).toMatchObject({ text: '', heldBy: ['SITE'], stays: true });
    expect(plan(then, reconciler.desired('IPv4')?.whole() ?? nothing)).toEqual([]);
  });

  const missing = (exec: Exec): Exec => {
    return (file, args, options) =>
      file.startsWith('ip6tables')
        ? Promise.reject(missingTool('ip6tables'))
        : exec(file, args, options);
  };
  const notAllowed = (exec: Exec): Exec => {
    const tool = (file: string): string => file.replace('ip6tables', `ip6tables-${variant}`);
    return (file, args, options) =>
      file.startsWith('ip6tables')
        ? exec('setpriv', ['--bounding-set=-all', '--inh-caps=-all', tool(file), ...args], options)
        : exec(file, args, options);
  };

  test.each([
    ['ip6tables is missing', missing, /^IPv6 cannot be programmed: ip6tables is not installed/],
    ['ip6tables is not allowed', notAllowed, /^IPv6 cannot be programmed: .*(denied|must be root)/],
  ])('where %s, IPv4 works, and it is told', async (_, limit, finding) => {
    const { exec } = await machine(variant);
    const backend = createIptablesBackend(limit(exec));
    const { families, findings } = await backend.probe();
    expect(families).toEqual(['IPv4']);
    expect(findings[1]).toMatch(finding);
    await expectWorking(backend);
  });

  test('where IPv6 is switched off, IPv4 works, and it is told', async () => {
    const { exec, backend } = await machine(variant);
    await exec('sh', ['-c', 'echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6']);
    const { findings } = await backend.probe();
    expect(findings.slice(1)).toEqual([
      'IPv6: it is switched off on this node (net.ipv6.conf.all.disable_ipv6=1), so its rules meet no packets',
    ]);
    await expectWorking(backend);
  });

  test('INVALID packets are dropped, but not where conntrack is liberal with TCP', async () => {
    const { exec, backend } = await machine(variant);
    const forwardRules = async (): Promise<string> => {
      await bringTo(backend, wantedThen(backend, await isTcpLiberal(exec)));
      return (await exec('iptables', ['-S', 'KUBE-FORWARD'])).stdout;
    };
    expect(await forwardRules()).toContain(
      '-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP',
    );
    const setting = '/proc/sys/net/netfilter/nf_conntrack_tcp_be_liberal';
    await exec('sh', ['-c', `echo 1 > ${setting}`]);
    const rules = await forwardRules();
    expect(rules).not.toContain('INVALID');
    expect(rules).toContain('-A KUBE-FORWARD -m comment');
  });
});

/** Rules of the localnet guard, which are the kubelet's as well. */
function isNotKubelets(line: string): boolean {
  return !line.includes('KUBE-FIREWALL');
}

function sharedUnits(units: Program<IptablesUnit>): Program<IptablesUnit> {
  return new Map([...units].filter(([, { stays }]) => stays));
}

type Damage = {
  readonly seed: number;
  /** One in so many is lost. */
  readonly rules: number;
  readonly jumps: number;
  readonly chains: number;
};

/** A saved ruleset with rules, jumps and whole chains lost, but for such as cannot be lost. */
function damaged(saved: readonly string[], { seed, rules, jumps, chains }: Damage): string {
  const isLost = (line: string, share: number): boolean =>
    hash('md5', `${seed} ${line}`, 'buffer').readUInt32BE() % share === 0;
  const lostChains = new Set(
    saved.flatMap((line) => {
      const [, chain = ''] = /^:(KUBE-\S+)/.exec(line) ?? [];
      const isKept = chain === '' || /FIREWALL|CANARY|HINT/.test(chain);
      return isKept || !isLost(chain, chains) ? [] : [chain];
    }),
  );
  return saved
    .filter((line) => {
      if (line.startsWith(':')) return !lostChains.has(/^:(\S+)/.exec(line)?.[1] ?? '');
      const [, chain = ''] = /^-A (\S+) /.exec(line) ?? [];
      const target = / -j (\S+)/.exec(line)?.[1] ?? '';
      if (chain === '') return true;
      if (lostChains.has(chain) || lostChains.has(target)) return false;
      return !isLost(line, chain.startsWith('KUBE-') ? rules : jumps);
    })
    .join('\n');
}
