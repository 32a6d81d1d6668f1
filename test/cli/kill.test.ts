// A daemon that is killed takes nothing with it: the rules of one whole version stay, what is open stays
// open, and the next daemon goes on from there.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withBackend } from '../../src/backends/index.ts';
import { createLab, type Lab } from '../../src/lab/lab.ts';
import { manifestDigest, type SluiceProcess } from '../../src/lab/sluice-process.ts';
import type { PodHost } from '../../src/lab/topology.ts';
import { podEchoPort, pods } from '../../src/lab/topology.ts';
import type { Exec } from '../../src/host/tools/exec.ts';
import type { ProxyMode } from '../../src/model/config.ts';
import { desiredOf } from '../../src/sync/offline.ts';
import { configFor } from '../support/config.ts';
import { allRules } from '../support/kernel-rules.ts';
import { modes, replaceFile } from '../support/network-namespace.ts';
import { clusterObjects, manifestOf, type ServiceSpec } from '../support/service-objects.ts';

const echo = { to: '10.96.0.70', port: podEchoPort } as const;
const web = { from: 'p13', to: '10.96.0.10', port: 80, protocol: 'tcp' } as const;

const held: ServiceSpec = {
  name: 'echo',
  ip: echo.to,
  port: podEchoPort,
  endpointPort: podEchoPort,
  endpoints: [addressOf('p12'), addressOf('p21')],
};

// So many that the input of a transaction does not fit into a pipe at once.
const crowdSize = 150;

/** The Services with these pods behind all of them but the one that is held open. */
function servicesOn(hosts: readonly PodHost[]): readonly ServiceSpec[] {
  const endpoints = hosts.map(addressOf);
  const crowd = Array.from({ length: crowdSize }, (_, index) => ({
    name: `crowd-${index}`,
    ip: `10.96.1.${index}`,
    endpoints,
  }));
  return [held, { name: 'web', ip: web.to, endpoints }, ...crowd];
}

const versions: readonly (readonly PodHost[])[] = [
  ['p11'],
  ['p11', 'p12'],
  ['p12', 'p21', 'p22'],
  ['p21'],
  ['p11', 'p12', 'p21', 'p22'],
];
const texts = versions.map((hosts) => manifestOf(servicesOn(hosts)));
const [firstText = ''] = texts;
const lastText = manifestOf(servicesOn(['p22']));

describe.each(modes)('with %s', (mode) => {
  let lab: Lab;
  let folder: string;
  let manifests: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-kill-'));
    manifests = join(folder, 'services.yaml');
    lab = await createLab();
  });
  afterAll(async () => {
    await lab?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const exec: Exec = (file, args, options) => lab.exec('n1', [file, ...args], options);

  /** A daemon in step with the first version, and a connection that it let through. */
  async function running(connection: string): Promise<SluiceProcess> {
    await replaceFile(manifests, firstText);
    const sluice = lab.startSluice({ manifests, proxyMode: mode });
    await sluice.inStep(manifestDigest(firstText));
    expect(await lab.hold('p13', { kind: 'open', connection, ...echo })).toMatchObject(answer);
    return sluice;
  }

  async function expectTraffic(connection: string, hosts: readonly PodHost[]): Promise<void> {
    expect(await lab.hold('p13', { kind: 'ping', connection })).toMatchObject(answer);
    const names = (await lab.probe({ ...web, tries: 4 })).map((met) =>
      met.result === 'ok' ? met.name : met.result,
    );
    expect(names.filter((name) => !hosts.some((host) => host === name))).toEqual([]);
  }

  /** What comes after the end of a daemon: changes that nobody sees, and the next daemon. */
  async function expectRecovery(connection: string): Promise<void> {
    await replaceFile(manifests, lastText);
    const next = lab.startSluice({ manifests, proxyMode: mode });
    await next.inStep(manifestDigest(lastText));
    await expectTraffic(connection, ['p22']);
    expect(await heldVersion(exec, mode, [['p22']])).toEqual(['p22']);
    await next.stop();
    expect(await toolsIn(lab)).toEqual([]);
    await lab.hold('p13', { kind: 'close', connection });
  }

  test('at rest', async () => {
    const sluice = await running('rest');
    const rules = await allRules(exec, mode);
    await sluice.kill();
    expect(await allRules(exec, mode)).toBe(rules);
    await expectTraffic('rest', ['p11']);
    await expectRecovery('rest');
  });

  test.each([1, 2, 3])('in the middle of a burst of changes (seed %i)', async (seed) => {
    const sluice = await running(`burst-${seed}`);
    // The daemon takes over versions beside the writes; the seed says in which pass, and how far into
    // it, it is killed.
    const lastPass = passesIn(sluice) + 1 + random(seed, 2);
    let write = 0;
    const writeNext = async (): Promise<void> =>
      replaceFile(manifests, texts[++write % texts.length] ?? '');
    while (passesIn(sluice) < lastPass) await writeNext();
    for (let left = random(seed + 1000, 200); left > 0; left -= 1) await writeNext();
    await sluice.kill();
    // A tool that was at work when its parent died finishes by itself.
    await expect.poll(() => toolsIn(lab)).toEqual([]);
    const version = await heldVersion(exec, mode, versions);
    expect(versions).toContainEqual(version);
    await expectTraffic(`burst-${seed}`, version ?? []);
    await expectRecovery(`burst-${seed}`);
  });
});

const answer = { result: 'ok' } as const;

/** Which of the versions the kernel holds, exactly; undefined where it holds none of them. */
async function heldVersion(
  exec: Exec,
  mode: ProxyMode,
  candidates: readonly (readonly PodHost[])[],
): Promise<readonly PodHost[] | undefined> {
  const config = configFor(mode);
  return withBackend(exec, config, async (backend) => {
    const observed = await backend.observe('IPv4');
    return candidates.find((hosts) => {
      const objects = clusterObjects(servicesOn(hosts));
      const [wanted] = desiredOf(backend, objects, {
        config,
        families: ['IPv4'],
        hostIps: () => [],
      });
      return wanted?.desired.planFrom(observed).length === 0;
    });
  });
}

function passesIn({ log }: SluiceProcess): number {
  return log.filter((line) => line.includes('"msg":"in step"')).length;
}

/** The netfilter tools that are at work on n1. */
async function toolsIn(lab: Lab): Promise<readonly string[]> {
  const { stdout } = await lab.exec('n1', ['ip', 'netns', 'pids', lab.namespace('n1')]);
  const pids = stdout.split('\n').filter((pid) => pid !== '');
  const commands = pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''));
  return (await Promise.all(commands)).filter((command) =>
    /^(\S*\/)?(nft|ip6?tables|conntrack)/.test(command),
  );
}

function addressOf(host: PodHost): string {
  const pod = pods.find((each) => each.host === host);
  if (pod === undefined) throw new Error(`no pod ${host}`);
  return pod.address.ipv4;
}

/** A number from 0 to `below` - 1 that only the seed decides. */
function random(seed: number, below: number): number {
  return ((seed * 2_654_435_761) >>> 8) % below;
}
