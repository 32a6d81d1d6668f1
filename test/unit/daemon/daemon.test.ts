// A daemon from its start to its end, in both modes, without root: what it does to the kernel, what it says, and
// what it tells who asks.
import { describe, expect, test } from 'vitest';
import type { Config } from '../../../src/model/config.ts';
import type { ClusterChange, ClusterObject } from '../../../src/model/kubernetes.ts';
import type { Ip } from '../../../src/model/ip.ts';
import { refusing } from '../../support/kernel-in-memory.ts';
import { clusterObjects } from '../../support/service-objects.ts';
import { startDaemon } from './stand.ts';

const web = { name: 'web', ip: '10.96.0.10', endpoints: ['10.244.1.11', '10.244.2.11'] };
const api = { name: 'api', ip: '10.96.0.20', endpoints: ['10.244.1.12'] };

const set = (objects: readonly ClusterObject[]): readonly ClusterChange[] =>
  objects.map((object) => ({ op: 'set', object }));

describe.each(['nftables', 'iptables'] as const)('%s', (mode) => {
  /** A daemon that is in step with these Services, and listens. */
  async function started(services = [web, api], flags: readonly string[] = []) {
    const daemon = await startDaemon(mode, flags);
    const objects = clusterObjects(services);
    const inStep = await daemon.deliver(set(objects), '1');
    daemon.log.take();
    return { ...daemon, objects, inStep, calls: daemon.kernel.calls.splice(0) };
  }

  test('starts: reads the kernel once, and makes it what the objects mean', async () => {
    const daemon = await started();
    expect(daemon.inStep).toEqual({
      msg: 'in step',
      version: '1',
      services: ['default/web', 'default/api'],
    });
    expect(daemon.calls).toEqual(['observe IPv4', 'apply IPv4', 'observe IPv6', 'apply IPv6']);
    expect(daemon.isAsStartedWith(daemon.objects)).toBe(true);
    await daemon.stop();
  });

  test('a change is carried out without a look at the kernel', async () => {
    const daemon = await started();
    const changed = clusterObjects([{ ...web, endpoints: ['10.244.1.13'] }, api]);
    await daemon.deliver(set(changed), '2');
    expect(daemon.kernel.calls).toEqual(['apply IPv4']);
    expect(daemon.isAsStartedWith(changed)).toBe(true);
    await daemon.deliver([{ op: 'delete', kind: 'Service', id: 'default/web' }], '3');
    expect(daemon.isAsStartedWith(changed.slice(2))).toBe(true);
    await daemon.stop();
  });

  test('a conflict is said when it begins and when it ends, and not when another wins', async () => {
    const claimants = ['2026-01-01', '2026-01-02', '2026-01-03'].map((day, at) => ({
      name: `claimant-${at}`,
      ip: `10.96.0.${at + 1}`,
      endpoints: [],
      createdAt: `${day}T00:00:00Z`,
      spec: { externalIPs: ['203.0.113.1', '203.0.113.2'] },
    }));
    const daemon = await started(claimants.slice(1));
    const said = async (changes: readonly ClusterChange[], version: string) => {
      daemon.submit({ changes, version });
      const lines = await daemon.log.before('in step');
      return lines.filter(({ msg }) => /^address|^conflict/.test(msg));
    };
    const gone = (id: string): ClusterChange => ({ op: 'delete', kind: 'Service', id });
    const lost = (winner: string, value: string) => ({
      family: 'IPv4',
      addresses: ['tcp 203.0.113.1 80', 'tcp 203.0.113.2 80'].map((address) => ({
        address,
        winner,
        reason: {
          kind: 'older',
          object: `Service ${winner}`,
          field: 'metadata.creationTimestamp',
          value,
        },
      })),
      msg: 'address already claimed by another Service; not programmed',
    });
    // The older one takes both from the one that had them; the third is no worse off than before.
    expect(await said(set(clusterObjects(claimants.slice(0, 1))), '2')).toEqual([
      { service: 'default/claimant-1', ...lost('default/claimant-0', '2026-01-01T00:00:00Z') },
    ]);
    // Now another one has them: no news for those that do not.
    expect(await said([gone('default/claimant-0')], '3')).toEqual([
      {
        service: 'default/claimant-1',
        family: 'IPv4',
        msg: 'conflict over: the Service has all its addresses now',
      },
    ]);
    expect(await said([gone('default/claimant-1')], '4')).toEqual([
      {
        service: 'default/claimant-2',
        family: 'IPv4',
        msg: 'conflict over: the Service has all its addresses now',
      },
    ]);
    await daemon.stop();
  });

  test('a Service that is refused keeps its last good rules, and all others go on', async () => {
    const daemon = await started();
    const { kernel, log } = daemon;
    const [bad, other] = [
      { ...web, endpoints: ['10.244.9.9'] },
      { name: 'other', ip: '10.96.0.30', endpoints: ['10.244.1.14'] },
    ];
    kernel.fault = refusing(({ text }) => text.includes('10.244.9.9'));
    daemon.submit({ changes: set(clusterObjects([bad, other])), version: '2' });
    const { service, family } = await log.next(
      'quarantined: rules rejected; the Service keeps its last good rules until it changes',
    );
    expect([service, family]).toEqual(['default/web', 'IPv4']);
    await log.next('in step', { version: '2' });
    expect(daemon.isAsStartedWith(clusterObjects([web, api, other]))).toBe(true);
    const { families } = (await daemon.ask('/debug/status')) as {
      families: readonly { quarantined: unknown }[];
    };
    expect(families.map(({ quarantined }) => quarantined)).toEqual([
      { count: 1, first: [{ service: 'default/web', why: 'nft: Error: Could not process rule' }] },
      { count: 0, first: [] },
    ]);
    const good = { ...web, endpoints: ['10.244.1.15'] };
    await daemon.deliver(set(clusterObjects([good])), '3');
    expect(daemon.isAsStartedWith(clusterObjects([good, api, other]))).toBe(true);
    await daemon.stop();
  });

  test('a transaction that fails changes nothing, and is tried again after a second', async () => {
    const daemon = await started();
    const { kernel, clock, log } = daemon;
    kernel.fault = () => new Error('the kernel is away');
    const changed = clusterObjects([{ ...web, endpoints: ['10.244.1.13'] }, api]);
    daemon.submit({ changes: set(changed), version: '2' });
    const { family } = await log.next('the kernel keeps the last good rules; trying again');
    expect(family).toBe('IPv4');
    expect(daemon.isAsStartedWith(daemon.objects)).toBe(true);
    await clock.waiting(1000);
    kernel.fault = undefined;
    kernel.calls.length = 0;
    await clock.advance(1000);
    await log.next('in step', { version: '2' });
    expect(kernel.calls).toEqual(['observe IPv4', 'apply IPv4']);
    expect(daemon.isAsStartedWith(changed)).toBe(true);
    await daemon.stop();
  });

  test('what another process changes is repaired at once, and told', async () => {
    const daemon = await started();
    const { kernel, log } = daemon;
    const [unit] = [...kernel.read('IPv4').values()].filter(({ owner }) => owner === 'default/web');
    kernel.change('IPv4', (program) => {
      program.delete(unit?.id ?? '');
      program.set('chain evil', { id: 'chain evil', kind: 'chain', owner: undefined, text: 'x' });
    });
    expect(await log.next('somebody changed our rules: repaired')).toEqual({
      msg: 'somebody changed our rules: repaired',
      family: 'IPv4',
      noticedBy: 'kernel',
      by: [{ process: 'firewalld', pid: 812 }],
      putBack: 1,
      mended: 0,
      removed: 1,
      ms: 0,
    });
    expect(kernel.calls).toEqual(['observe IPv4', 'apply IPv4']);
    expect(daemon.isAsStartedWith(daemon.objects)).toBe(true);
    await daemon.stop();
  });

  test('another configuration is in force without a restart', async () => {
    const daemon = await started();
    const config: Config = { ...daemon.config, masqueradeAll: true };
    daemon.reconfigure(config);
    await daemon.log.next('in step', { version: '1' });
    expect(daemon.isAsStartedWith(daemon.objects)).toBe(false);
    expect(daemon.isAsStartedWith(daemon.objects, config)).toBe(true);
    await daemon.stop();
  });

  test('another address of this host is noticed within 30 s', async () => {
    const daemon = await started([web], ['--nodeport-addresses', '192.168.0.0/16']);
    daemon.world.hostIps = ['127.0.0.1', '192.168.0.2', '192.168.0.7'] as Ip[];
    expect(daemon.isAsStartedWith(daemon.objects)).toBe(false);
    await daemon.clock.advance(30_000);
    await daemon.log.next('in step', { version: '1' });
    expect(daemon.isAsStartedWith(daemon.objects)).toBe(true);
    await daemon.stop();
  });

  test('the passes that it tells of say who asked for them, and can be replayed', async () => {
    const daemon = await started();
    daemon.reconfigure({ ...daemon.config, masqueradeAll: true });
    await daemon.log.next('in step');
    const { passes, steps } = (await daemon.ask('/debug/passes')) as {
      passes: readonly { number: number; asked: readonly string[] }[];
      steps: readonly { number: number }[];
    };
    expect(passes.map(({ number, asked }) => ({ number, asked }))).toEqual([
      { number: 1, asked: ['cluster'] },
      { number: 2, asked: ['configuration'] },
    ]);
    expect(steps.map(({ number }) => number)).toEqual([1, 2]);
    await daemon.stop();
  });

  test('stops with the rules in place and nothing left to wait for', async () => {
    const daemon = await started();
    await daemon.stop();
    expect(daemon.log.take()).toEqual(['stopping; the rules stay']);
    expect(daemon.isAsStartedWith(daemon.objects)).toBe(true);
    expect(daemon.clock.waits).toEqual([]);
  });

  test('ends with what a part of it ended with', async () => {
    const daemon = await started();
    daemon.fail(new Error('the manifests are gone'));
    await expect(daemon.running).rejects.toThrow('the manifests are gone');
    expect(daemon.isAsStartedWith(daemon.objects)).toBe(true);
    expect(daemon.clock.waits).toEqual([]);
  });
});
