// The nft of another Debian that the conformance tests use. Needs root, and a mirror at its first run.
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { execOnHost } from '../../src/host/exec.ts';
import { debian13Nft } from '../support/debian-13.ts';

test("Debian 13's nft runs, and reads its input", async () => {
  const nft = join(await debian13Nft(), 'nft');
  const { stdout: version } = await execOnHost(nft, ['--version']);
  expect(version).toMatch(/^nftables v1\.1\./);
  const refused = await execOnHost(nft, ['-c', '-f', '-'], {
    input: 'no rule',
    allowedExitCodes: [1],
  });
  expect(refused.stderr).toContain('syntax error');
});
