// What others change in our rules in a real kernel is put right by the daemon, with the name of who did it.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import type { SluiceProcess } from '../../src/lab/sluice-process.ts';
import { manifestDigest } from '../../src/lab/sluice-process.ts';
import type { ProxyMode } from '../../src/model/config.ts';
import { quickRepairs } from '../../src/daemon/drift/repair-pace.ts';
import { standWith, type Stand } from '../cli/stand.ts';
import { flagsFor } from '../support/network-namespace.ts';
import { manifestOf } from '../support/service-objects.ts';

const services = [
  { name: 'web', ip: '10.96.0.10', endpoints: ['10.244.1.1', '10.244.1.2'] },
  { name: 'dns', ip: '10.96.0.11', endpoints: ['10.244.1.3'] },
];
const manifest = manifestOf(services);
const repairedMessage = 'somebody changed our rules: repaired';
const loopMessage = 'each repair is undone at once: the next ones wait longer and longer';

type Tool = readonly [file: string, ...args: string[]];

type Entry = {
  readonly msg: string;
  readonly by: readonly { readonly process: string; readonly pid: number }[];
  readonly noticedBy: string;
};

function entriesOf(sluice: SluiceProcess, message: string): readonly Entry[] {
  return sluice.log
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Entry)
    .filter(({ msg }) => msg === message);
}

let stand: Stand;
let sluice: SluiceProcess;

async function begin(mode: ProxyMode, flags: readonly string[] = []): Promise<void> {
  const { manifests } = stand;
  sluice = stand.start({ manifests, proxyMode: mode, flags });
  await sluice.inStep(manifestDigest(manifest));
}

/** Runs the tool, and waits until that is repaired; returns what was said of it, and the tool's pid. */
async function repairAfter([file, ...args]: Tool): Promise<{ entry: Entry; pid: number }> {
  const from = sluice.log.length;
  let pid = 0;
  await stand.exec(file, args, { onStart: (id) => (pid = id) });
  await sluice.logged(repairedMessage, from);
  const line = sluice.log.slice(from).find((each) => each.includes(repairedMessage)) ?? '';
  return { entry: JSON.parse(line) as Entry, pid };
}

async function expectInStep(): Promise<void> {
  expect(await stand.sluice(['diff', ...stand.flags])).toMatchObject({ exitCode: 0, stdout: '' });
}

const slot = '{ 10.96.0.10 . 80 . 0 }';
const moved = '{ 10.96.0.10 . 80 . 0 : 192.0.2.1 . 81 }';
const map = 'ip sluice endpoints-tcp';

describe('with nftables', () => {
  beforeEach(async () => {
    stand = await standWith('nftables', manifest);
    await stand.exec('ip', ['link', 'set', 'lo', 'up']);
    await begin('nftables');
  });

  test.each<{ what: string; tool: Tool }>([
    { what: 'our table deleted', tool: ['nft', 'delete', 'table', 'ip', 'sluice'] },
    { what: 'all tables flushed', tool: ['nft', 'flush', 'ruleset'] },
    { what: 'a chain flushed', tool: ['nft', 'flush', 'chain', 'ip', 'sluice', 'services'] },
    {
      what: 'a rule inserted',
      tool: ['nft', 'insert', 'rule', 'ip', 'sluice', 'services', 'drop'],
    },
    {
      what: 'a map element changed',
      tool: ['nft', `delete element ${map} ${slot}; add element ${map} ${moved}`],
    },
    { what: 'a chain added', tool: ['nft', 'add', 'chain', 'ip', 'sluice', 'theirs'] },
  ])('$what is put right, and who did it is named', async ({ tool }) => {
    const { entry, pid } = await repairAfter(tool);
    expect(entry).toMatchObject({ noticedBy: 'kernel', by: [{ process: 'nft', pid }] });
    await expectInStep();
  });

  test('an element deleted after a flush that took all rules that use its map is noticed, and who did it is named', async () => {
    await repairAfter(['nft', 'flush', 'table', 'ip', 'sluice']);
    const { entry, pid } = await repairAfter(['nft', `delete element ${map} ${slot}`]);
    expect(entry).toMatchObject({ noticedBy: 'kernel', by: [{ process: 'nft', pid }] });
    await expectInStep();
  });

  test('nothing of what we do ourselves, and of what others do in tables of theirs, is taken for it', async () => {
    await stand.exec('nft', ['add table ip theirs; add chain ip theirs x; delete table ip theirs']);
    for (const last of [4, 5, 6]) {
      const text = manifestOf([{ ...services[1]!, endpoints: [`10.244.1.${last}`] }]);
      await stand.rewrite(text);
      await sluice.inStep(manifestDigest(text));
    }
    // What was told before this was read by then.
    await repairAfter(['nft', 'flush', 'chain', 'ip', 'sluice', 'services']);
    expect(entriesOf(sluice, repairedMessage).length).toBe(1);
    expect(await outcomes()).toEqual(['sluice_drift_total{ip_family="IPv4",outcome="repaired"} 1']);
  });

  test('who undoes each repair is waited for, and told of once', async () => {
    const flush: Tool = ['nft', 'flush', 'chain', 'ip', 'sluice', 'services'];
    // The first one, and as many as may be undone.
    const told = 1 + quickRepairs;
    for (let repairs = 0; repairs < told; repairs += 1) await repairAfter(flush);
    await sluice.logged(loopMessage, 0);
    const from = sluice.log.length;
    await stand.exec(...split(flush));
    await sluice.logged('repairs hold again: the next one comes at once', from);
    expect(entriesOf(sluice, loopMessage).length).toBe(1);
    expect(entriesOf(sluice, repairedMessage).length).toBe(told);
    await expectInStep();
    await repairAfter(flush);
    expect(entriesOf(sluice, loopMessage).length).toBe(1);
  });

  test('a flood of changes in tables of others costs no look at ours', async () => {
    const flush: Tool = ['nft', 'flush', 'chain', 'ip', 'sluice', 'services'];
    const runs = [await toolRuns()];
    await repairAfter(flush);
    runs.push(await toolRuns());
    await stand.exec('nft', ['-f', '-'], { input: elementsOf('theirs', 0) });
    const again = 'nft flush set ip theirs s; nft -f theirs';
    await writeFile(join(stand.folder, 'theirs'), elementsOf('theirs', 500));
    const loop = `cd "$1" && for _ in $(seq 25); do ${again}; done`;
    await stand.exec('sh', ['-c', loop, 'sh', stand.folder]);
    // What was told before this was read by then.
    await repairAfter(flush);
    runs.push(await toolRuns());
    const [before = 0, repaired = 0, after = 0] = runs;
    expect(after - repaired).toBe(repaired - before);
    expect(await outcomes()).toEqual(['sluice_drift_total{ip_family="IPv4",outcome="repaired"} 2']);
  });

  test('more than is read has ours looked at, and what comes then is heard again', async () => {
    await stand.exec('kill', ['-STOP', `${sluice.pid}`]);
    for (const table of ['these', 'those']) {
      await stand.exec('nft', ['-f', '-'], { input: elementsOf(table, 100_000) });
    }
    await stand.exec('kill', ['-CONT', `${sluice.pid}`]);
    // How often is the kernel's to say: its buffer may run over again while it is read.
    const kinds = async (): Promise<readonly string[]> =>
      (await outcomes()).map((line) => line.replace(/ \d+$/, ''));
    const looked = ['IPv4', 'IPv6'].map(
      (family) => `sluice_drift_total{ip_family="${family}",outcome="unchanged"}`,
    );
    await expect.poll(kinds, { timeout: 60_000 }).toEqual(looked);
    const { entry, pid } = await repairAfter(['nft', 'flush', 'table', 'ip', 'sluice']);
    expect(entry).toMatchObject({ noticedBy: 'kernel', by: [{ process: 'nft', pid }] });
    expect(await outcomes()).toContain('sluice_drift_total{ip_family="IPv4",outcome="repaired"} 1');
  });
});

/** A table with a set of so many elements, as one transaction. */
function elementsOf(table: string, count: number): string {
  const lines = [`add table ip ${table}`, `add set ip ${table} s { type ipv4_addr; }`];
  const address = (index: number): string =>
    `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
  for (let start = 0; start < count; start += 1000) {
    const length = Math.min(1000, count - start);
    const addresses = Array.from({ length }, (_, index) => address(start + index));
    lines.push(`add element ip ${table} s { ${addresses.join(', ')} }`);
  }
  return `${lines.join('\n')}\n`;
}

async function metrics(): Promise<string> {
  const { stdout } = await stand.exec('curl', ['-sS', 'http://127.0.0.1:10249/metrics']);
  return stdout;
}

/** What became of foreign changes, as metrics in order. */
async function outcomes(): Promise<readonly string[]> {
  return ((await metrics()).match(/^sluice_drift_total.*/gm) ?? []).toSorted();
}

/** How many times Sluice has run nft. */
async function toolRuns(): Promise<number> {
  const [, count] =
    /^sluice_command_duration_seconds_count\{tool="nft"\} (\d+)$/m.exec(await metrics()) ?? [];
  return Number(count);
}

function split([file, ...args]: Tool): [string, readonly string[]] {
  return [file, args];
}

describe('with iptables', () => {
  beforeEach(async () => {
    stand = await standWith('iptables', manifest);
    await begin('iptables');
  });

  test.each<{ what: string; tool: Tool }>([
    { what: 'a chain of ours flushed', tool: ['iptables', '-t', 'nat', '-F', 'KUBE-SERVICES'] },
    { what: 'a jump to ours deleted', tool: ['iptables', '-t', 'nat', '-D', 'PREROUTING', '1'] },
    { what: 'a table flushed', tool: ['iptables', '-t', 'nat', '-F'] },
    {
      what: 'a rule inserted',
      tool: ['iptables', '-t', 'nat', '-I', 'KUBE-SERVICES', '-j', 'ACCEPT'],
    },
    { what: 'our table deleted by nft', tool: ['nft', 'delete', 'table', 'ip', 'nat'] },
  ])('$what is put right, and who did it is named', async ({ tool }) => {
    const { entry, pid } = await repairAfter(tool);
    expect(entry).toMatchObject({ noticedBy: 'kernel', by: [{ process: tool[0], pid }] });
    await expectInStep();
  });
});

describe('with legacy iptables', () => {
  const canaries = ['mangle', 'nat', 'filter'];

  beforeEach(async () => {
    stand = await standWith('iptables', manifest);
    const kubelets = '*mangle\n:KUBE-KUBELET-CANARY - [0:0]\nCOMMIT\n';
    await stand.exec('iptables-legacy-restore', ['--noflush'], { input: kubelets });
    await begin('iptables', [
      '--iptables-sync-period',
      '200ms',
      '--iptables-min-sync-period',
      '0s',
    ]);
  });

  async function tablesWithCanary(): Promise<readonly string[]> {
    const { stdout } = await stand.exec('iptables-legacy-save', []);
    return stdout
      .split(/^\*/m)
      .filter((text) => text.includes(':SLUICE-CANARY '))
      .map((text) => text.split('\n', 1)[0] ?? '')
      .toSorted();
  }

  test('canaries that are gone have all that is gone put back', async () => {
    expect(await tablesWithCanary()).toEqual(canaries.toSorted());
    const { entry } = await repairAfter([
      'sh',
      '-c',
      'iptables-legacy -t nat -F; for table in mangle nat filter; do iptables-legacy -t $table -X SLUICE-CANARY; done',
    ]);
    expect(entry).toMatchObject({ by: [] });
    expect(['canary', 'audit']).toContain(entry.noticedBy);
    await expectInStep();
    expect(await tablesWithCanary()).toEqual(canaries.toSorted());
  });

  test('where just some of them are gone, these are put back', async () => {
    await repairAfter(['iptables-legacy', '-t', 'mangle', '-X', 'SLUICE-CANARY']);
    await expectInStep();
    expect(await tablesWithCanary()).toEqual(canaries.toSorted());
  });

  test('what leaves the canaries alone is found by the audit', async () => {
    const { entry } = await repairAfter(['iptables-legacy', '-t', 'nat', '-F', 'KUBE-SERVICES']);
    expect(entry).toMatchObject({ noticedBy: 'audit', by: [] });
    await expectInStep();
  });

  test('they are no sign of kube-proxy, and a clean-up takes them away', async () => {
    await sluice.stop();
    const { stderr } = await stand.sluice(['cleanup', ...flagsFor('iptables')]);
    expect(stderr).toContain('IPv4: removed our rules of iptables mode\n');
    expect(await tablesWithCanary()).toEqual([]);
    expect(sluice.log.join('\n')).not.toContain('kube-proxy has programmed this node');
  });
});
