// Whoever reads the output and leaves (`| head`) changes nothing of what a command found, nor of what it does.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { modes } from '../support/network-namespace.ts';
import { manifest } from './services.ts';
import { apply, standWith, type Stand } from './stand.ts';

const sluice = fileURLToPath(new URL('../../bin/sluice', import.meta.url));

/** The exit code of a command whose reader leaves before it writes. */
async function codeUnread(stand: Stand, args: readonly string[]): Promise<number> {
  const file = join(stand.folder, 'code');
  const script = '{ "$@"; echo $? > "$0"; } | true; while [ ! -s "$0" ]; do sleep 0.1; done';
  await stand.exec('sh', ['-c', script, file, sluice, ...args]);
  const code = Number(await readFile(file, 'utf8'));
  await stand.exec('rm', [file]);
  return code;
}

describe.each(modes)('with %s', (mode) => {
  test('a difference stays one, and nothing stays nothing', async () => {
    const stand = await standWith(mode, manifest);
    const diff = ['diff', ...stand.flags];
    expect(await codeUnread(stand, diff)).toBe(1);
    expect(await codeUnread(stand, [...diff, '-o', 'json'])).toBe(1);
    expect(await codeUnread(stand, ['verify', ...stand.flags])).toBe(1);
    expect(await codeUnread(stand, ['takeover', '--shadow', ...stand.flags])).toBe(0);
    // What goes on for ever ends.
    expect(await codeUnread(stand, ['run', '--dry-run', ...stand.flags])).toBe(0);
    await apply(stand, mode, manifest);
    expect(await codeUnread(stand, diff)).toBe(0);
    expect(await codeUnread(stand, ['verify', ...stand.flags])).toBe(0);
  });
});
