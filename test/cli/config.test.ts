// --config: a KubeProxyConfiguration in place of flags, on the command line as a user has it.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { modes, networkNamespace, replaceFile } from '../support/network-namespace.ts';
import { editedManifest, manifest } from './services.ts';

const header = 'apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n';

/** A namespace with a manifest and a configuration file of this text. */
async function standWithConfig(text: string) {
  const stand = await networkNamespace();
  const [manifests, config] = ['services.yaml', 'config.conf'].map((name) =>
    join(stand.folder, name),
  ) as [string, string];
  await replaceFile(manifests, manifest);
  await replaceFile(config, text);
  return { ...stand, manifests, config };
}

describe.each(modes)('with a file for %s', (mode) => {
  test('render prints what it prints with the flags', async () => {
    const stand = await standWithConfig(`${header}mode: ${mode}
clusterCIDR: 10.244.0.0/16,fd00:244::/32
hostnameOverride: node-1
nodePortAddresses: [192.168.0.0/16]
${mode}: {masqueradeAll: true, masqueradeBit: 5}
`);
    const flags = [
      '--proxy-mode',
      mode,
      '--cluster-cidr=10.244.0.0/16,fd00:244::/32',
      '--hostname-override=node-1',
      '--nodeport-addresses=192.168.0.0/16',
      '--masquerade-all',
      '--iptables-masquerade-bit=5',
    ];
    const render = ['render', '--manifests', stand.manifests, '--family', 'IPv4'];
    const byFile = await stand.sluice([...render, '--config', stand.config]);
    expect(byFile).toEqual(await stand.sluice([...render, ...flags]));
    expect(byFile).toMatchObject({ exitCode: 0, stderr: '' });
    expect(byFile.stdout).not.toBe((await stand.sluice([...render, '--proxy-mode', mode])).stdout);
  });
});

describe.each(['run', 'diff', 'render', 'cleanup'])('sluice %s', (command) => {
  test('ends with all faults of the file and exit code 2', async () => {
    const stand = await standWithConfig(
      `${header}mode: ipvs\nconntrack: {min: -1}\nmetricsBindAddress: 1.2.3.4:x\n`,
    );
    const manifests = command === 'cleanup' ? [] : ['--manifests', stand.manifests];
    const outcome = await stand.sluice([command, ...manifests, '--config', stand.config]);
    expect(outcome).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: [
        `sluice: ${stand.config}:3: mode: ipvs is not supported, and deprecated in kube-proxy: use nftables`,
        `sluice: ${stand.config}:4: conntrack.min: -1 is less than 0`,
        `sluice: ${stand.config}:5: metricsBindAddress: "1.2.3.4:x": its port is not from 1 to 65535`,
        '',
      ].join('\n'),
    });
  });
});

test('a file that cannot be read is named', async () => {
  const stand = await standWithConfig('');
  const render = ['render', '--manifests', stand.manifests, '--config'];
  const folder = join(stand.folder, 'folder');
  await mkdir(folder);
  for (const [path, why] of [
    [join(stand.folder, 'absent'), 'no such file'],
    [folder, 'is a folder, not a file'],
  ] as const) {
    expect(await stand.sluice([...render, path])).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: `sluice: ${path}: ${why}\n`,
    });
  }
});

test('what has no effect is said, and no reason to stop', async () => {
  const stand = await standWithConfig(`${header}unknown: 1\nwinkernel: {networkName: a}\n`);
  const args = ['--manifests', stand.manifests, '--config', stand.config];
  const { exitCode, stderr } = await stand.sluice(['render', ...args, '--masquerade-all']);
  expect({ exitCode, stderr }).toEqual({
    exitCode: 0,
    stderr: [
      'sluice: warning: --masquerade-all: no effect, because --config is given',
      `sluice: warning: ${stand.config}:3: unknown: is no field of KubeProxyConfiguration, and is ignored`,
      `sluice: warning: ${stand.config}:4: winkernel.networkName: has no effect yet (Windows only)`,
      '',
    ].join('\n'),
  });
});

test('run without a file stays at SIGHUP, and says that there is nothing to read again', async () => {
  const stand = await standWithConfig('');
  const sluice = stand.start({ manifests: stand.manifests, proxyMode: 'nftables' });
  await sluice.logged('in step', 0);
  const before = sluice.log.length;
  sluice.hangup();
  await sluice.logged('SIGHUP: there is no configuration file to read again', before);
  await replaceFile(stand.manifests, editedManifest);
  await sluice.logged('in step', before);
});

describe.each(modes)('run with a file for %s', (mode) => {
  test('takes over a change that can be taken over, and refuses a bad one', async () => {
    const text = (masqueradeAll: string): string =>
      `${header}mode: ${mode}\nclusterCIDR: 10.244.0.0/16,fd00:244::/32\nhostnameOverride: node-1\n${mode}: {masqueradeAll: ${masqueradeAll}}\n`;
    const stand = await standWithConfig(text('false'));
    const flags = ['--config', stand.config];
    const sluice = stand.start({ manifests: stand.manifests, proxyMode: mode, flags });
    await sluice.logged('in step', 0);
    const inStepWith = async (): Promise<number | undefined> => {
      const args = ['diff', '--manifests', stand.manifests, ...flags];
      return (await stand.sluice(args)).exitCode;
    };
    expect(await inStepWith()).toBe(0);

    const before = sluice.log.length;
    await replaceFile(stand.config, text('maybe'));
    await sluice.logged('configuration refused; the old one stays', before);
    await replaceFile(stand.config, text('true'));
    await sluice.logged('configuration taken over', before);
    await sluice.logged('in step', before);
    expect(await inStepWith()).toBe(0);

    const asked = sluice.log.length;
    sluice.hangup();
    await sluice.logged('configuration unchanged', asked);
    expect(await inStepWith()).toBe(0);
  });
});
