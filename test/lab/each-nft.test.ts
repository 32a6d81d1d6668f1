// Sluice with each nft that Debian has: the oldest is too old, the others serve in both encodings. Needs
// root, and a Debian mirror at its first run.
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { everyDebian } from '../support/debian-tools.ts';
import { flagsFor, networkNamespace, replaceFile } from '../support/network-namespace.ts';
import { expectServing } from './serving.ts';

const [oldest, ...others] = await everyDebian('nft');
const cases = others.flatMap(({ release, version, path }) => {
  const input = release === 'bookworm' ? 'text' : 'JSON';
  return [
    { release, version, path, input: 'auto', finding: `nft ${version}, ${input} input` },
    { release, version, path, input: 'text', finding: `nft ${version}, text input` },
  ];
});

test.each(cases)(
  'nft $version ($release) serves, --nft-input $input',
  async ({ path, input, finding }) => {
    await expectServing({
      proxyMode: 'nftables',
      path,
      flags: ['--nft-input', input],
      finding,
      drift: ['nft', 'flush', 'chain', 'ip', 'sluice', 'services'],
    });
  },
);

test.each([oldest])(
  'nft $version ($release) is too old, which ends the start with one line',
  async (nft) => {
    const { folder, sluice } = await networkNamespace();
    const manifests = join(folder, 'none.yaml');
    await replaceFile(manifests, '');
    const args = ['run', ...flagsFor('nftables'), '--manifests', manifests];
    const path = `PATH=${nft?.path}:${process.env['PATH']}`;
    const { exitCode, stderr } = await sluice(args, ['env', path]);
    expect(exitCode).toBe(2);
    // One line, with the version that is needed and the one that is here.
    expect(stderr).toMatch(/^sluice: .*\d+\.\d+\.\d+ or newer.*\n$/);
    expect(stderr).toContain(`nft ${nft?.version}`);
  },
);
