// How nft is written to, and what is said of it: that an nft takes text alone is normal, and no complaint.
import { expect, test } from 'vitest';
import { createNftablesBackend } from '../../../../src/backends/nftables/backend.ts';
import { ToolError } from '../../../../src/errors.ts';
import type { Exec } from '../../../../src/host/tools/exec.ts';
import type { NftInput } from '../../../../src/model/config.ts';

const stderr = 'internal:0:0-0: Error: Invalid set datatype.\n';

/** Debian 12's nft, which takes no JSON of ours, or a later one. */
function nft(version: string, takesJson: boolean): Exec {
  return async (file, args, { input = '' } = {}) => {
    const command = [file, ...args].join(' ');
    if (args[0] === '--version')
      return { stdout: `nftables v${version}\n`, stderr: '', exitCode: 0 };
    if (args[0] === '-j' && !takesJson) {
      throw new ToolError(`${command}: ${stderr}`, { command, exitCode: 1, stderr, input });
    }
    return { stdout: '', stderr: '', exitCode: 0 };
  };
}

test.each<[version: string, takesJson: boolean, input: NftInput, finding: string]>([
  ['1.0.6', false, 'auto', 'nft 1.0.6, text input'],
  ['1.0.6', false, 'text', 'nft 1.0.6, text input'],
  ['1.1.3', true, 'auto', 'nft 1.1.3, JSON input'],
  ['1.1.3', true, 'json', 'nft 1.1.3, JSON input'],
  ['1.1.3', true, 'text', 'nft 1.1.3, text input'],
])(
  'nft %s that takes JSON: %s, with --nft-input %s',
  async (version, takesJson, input, finding) => {
    const { findings } = await createNftablesBackend(nft(version, takesJson), input).probe();
    expect(findings).toEqual([finding]);
  },
);

test('JSON that was asked for and is refused is an error', async () => {
  await expect(createNftablesBackend(nft('1.0.6', false), 'json').probe()).rejects.toThrow(
    '--nft-input json: nft 1.0.6 refuses JSON: internal:0:0-0: Error: Invalid set datatype.',
  );
});
