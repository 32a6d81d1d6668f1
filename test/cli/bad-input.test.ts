// What cannot be used ends in one line that names file, object and field, or what to do, and in exit
// code 2 where there is nothing left to run with.
import { chmod, chown, mkdir, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { leavesHostAlone, manifestDigest } from '../../src/lab/sluice-process.ts';
import type { ProxyMode } from '../../src/model/config.ts';
import { allRules } from '../support/kernel-rules.ts';
import { modes, type Outcome } from '../support/network-namespace.ts';
import { manifestOf } from '../support/service-objects.ts';
import { manifest } from './services.ts';
import { standWith } from './stand.ts';

// Root without its rights: another user could not even read a checkout below /root.
const powerless = ['setpriv', '--bounding-set=-all', '--inh-caps=-all'];
const nobodyId = 65_534;

function serviceYaml(clusterIp: string, port: string): string {
  return `apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  clusterIP: ${clusterIp}
  ports:
    - port: ${port}
`;
}

const good = serviceYaml('10.96.0.10', '80');

/** How a command that cannot begin ends: with this one line, and log lines that tell of no fault. */
function expectRefusal({ exitCode, stdout, stderr }: Outcome, line: string | RegExp): void {
  const lines = stderr.split('\n').slice(0, -1);
  const plain = lines.filter((text) => !/^\S+Z INFO /.test(text));
  const matching = typeof line === 'string' ? line : expect.stringMatching(line);
  expect({ exitCode, stdout, plain }).toEqual({ exitCode: 2, stdout: '', plain: [matching] });
}

describe.each(['diff', 'run'])('sluice %s refuses', (command) => {
  test.each([
    {
      what: 'a file that is no YAML',
      text: 'kind: [Service\n',
      line: 'sluice: FILE:2: deficient indentation',
    },
    {
      what: 'a malformed address',
      text: serviceYaml('10.96.0.300', '80'),
      line: /^sluice: FILE:6: Service default\/web: spec\.clusterIP: "10\.96\.0\.300" is not an IP address$/,
    },
    {
      what: 'a port out of range',
      text: serviceYaml('10.96.0.10', '70000'),
      line: /^sluice: FILE:8: Service default\/web: spec\.ports\[0\]\.port: 70000 is not a port \(1 to 65535\)$/,
    },
  ])('$what', async ({ text, line }) => {
    const stand = await standWith('nftables', text);
    const outcome = await stand.sluice([command, ...stand.flags]);
    const stderr = outcome.stderr.replaceAll(stand.manifests, 'FILE');
    expectRefusal({ ...outcome, stderr }, line);
    expect(await allRules(stand.exec, 'nftables')).toBe('');
  });

  test('a path where nothing is, and a folder without manifests', async () => {
    const stand = await standWith('nftables', good);
    const absent = join(stand.folder, 'absent.yaml');
    expectRefusal(
      await stand.sluice([command, '--manifests', absent, ...leavesHostAlone]),
      `sluice: ${absent}: no such file or folder`,
    );
    const empty = join(stand.folder, 'empty');
    await mkdir(empty);
    expectRefusal(
      await stand.sluice([command, '--manifests', empty, ...leavesHostAlone]),
      `sluice: ${empty}: no *.yaml, *.yml or *.json in this folder`,
    );
  });

  test('an unknown flag, with the one that may be meant', async () => {
    const stand = await standWith('nftables', good);
    expectRefusal(
      await stand.sluice([command, '--manifest', stand.manifests]),
      'sluice: unknown flag --manifest; did you mean --manifests?',
    );
  });

  test.each([
    { flags: ['--proxy-mode', 'nftables'], mode: 'nftables' as const },
    { flags: ['--nft-input', 'text'], mode: 'nftables' as const },
    { flags: ['--proxy-mode', 'iptables'], mode: 'iptables' as const },
  ])('to work without the rights ($flags)', async ({ flags, mode }) => {
    const stand = await standWith(mode, good);
    const outcome = await stand.sluice(
      [command, '--manifests', stand.manifests, ...flags],
      powerless,
    );
    expectRefusal(outcome, /^sluice: .*; this needs root or CAP_NET_ADMIN$/);
  });

  test.each<[ProxyMode, string]>([
    ['nftables', 'sluice: nft is not installed; install it with: apt-get install -y nftables'],
    ['iptables', 'sluice: iptables is not installed; install it with: apt-get install -y iptables'],
  ])('to work without the tools of %s', async (mode, line) => {
    const stand = await standWith(mode, good);
    const path = join(stand.folder, 'path');
    await mkdir(path);
    for (const tool of ['node', 'sh', 'readlink', 'dirname']) {
      const { stdout } = await stand.exec('sh', ['-c', `command -v ${tool}`]);
      await symlink(stdout.trim(), join(path, tool));
    }
    expectRefusal(await stand.sluice([command, ...stand.flags], ['env', `PATH=${path}`]), line);
  });
});

test('a file that may not be read is named', async () => {
  const stand = await standWith('nftables', good);
  await chown(stand.manifests, nobodyId, nobodyId);
  await chmod(stand.manifests, 0o600);
  expectRefusal(
    await stand.sluice(['render', '--manifests', stand.manifests], powerless),
    `sluice: ${stand.manifests}: permission denied`,
  );
});

test('of an object that stands there twice the first counts, and the other is named', async () => {
  const stand = await standWith('nftables', `${good}---\n${serviceYaml('10.96.0.11', '80')}`);
  const { exitCode, stdout, stderr } = await stand.sluice(['diff', ...stand.flags]);
  const file = stand.manifests;
  expect(stderr).toBe(`${file}:10: Service default/web: is already in ${file}:1, which counts\n`);
  expect(stdout).toContain('10.96.0.10');
  expect(stdout).not.toContain('10.96.0.11');
  expect(exitCode).toBe(1);
});

describe.each(modes)('an address that two Services claim, with %s', (mode) => {
  const older = { ip: '10.96.0.10', createdAt: '2026-01-01T00:00:00Z' };
  const younger = { ip: '10.96.0.10', createdAt: '2026-02-01T00:00:00Z' };
  const text = manifestOf([
    { name: 'a', ...younger, endpoints: ['10.244.2.66'] },
    { name: 'b', ...older, endpoints: ['10.244.2.11'] },
  ]);

  test('is the older one’s, and the loser is named', async () => {
    const stand = await standWith(mode, text);
    const shown = await stand.sluice(['diff', ...stand.flags]);
    expect(shown.stderr).toBe(
      'Service default/a: tcp 10.96.0.10 80 is not programmed: default/b is older and has it\n',
    );
    // Of every address, which iptables mode takes by default, it warns.
    const flags = ['--nodeport-addresses', 'primary'];
    const sluice = stand.start({ manifests: stand.manifests, proxyMode: mode, flags });
    await sluice.inStep(manifestDigest(text));
    const warnings = sluice.log.filter((line) => !line.includes('"level":"info"'));
    expect(warnings.map((line) => JSON.parse(line) as unknown)).toEqual([
      {
        level: 'warn',
        time: expect.any(String),
        service: 'default/a',
        family: 'IPv4',
        addresses: [
          {
            address: 'tcp 10.96.0.10 80',
            winner: 'default/b',
            reason: {
              kind: 'older',
              object: 'Service default/b',
              field: 'metadata.creationTimestamp',
              value: '2026-01-01T00:00:00Z',
            },
          },
        ],
        msg: 'address already claimed by another Service; not programmed',
      },
    ]);
    const rules = await allRules(stand.exec, mode);
    expect(rules).toContain('10.244.2.11');
    expect(rules).not.toContain('10.244.2.66');
  });
});

test('the good objects of a manifest are used all the same', async () => {
  const stand = await standWith('nftables', manifest);
  const whole = await stand.sluice(['diff', ...stand.flags]);
  await stand.rewrite(`${manifest}---\n${serviceYaml('10.96.0.300', '80').replace('web', 'bad')}`);
  const line = (await readFile(stand.manifests, 'utf8')).split('\n').indexOf('  name: bad') + 3;
  expect(await stand.sluice(['diff', ...stand.flags])).toEqual({
    ...whole,
    stderr: `${stand.manifests}:${line}: Service default/bad: spec.clusterIP: "10.96.0.300" is not an IP address\n`,
  });
});
