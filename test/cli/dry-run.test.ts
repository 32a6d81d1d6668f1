// `sluice run --dry-run`: every version of the manifests prints what it would change, and the kernel
// stays as it is.
import { describe, expect, test } from 'vitest';
import { allRules } from '../support/kernel-rules.ts';
import { modes } from '../support/network-namespace.ts';
import { editedManifest, editText, manifest } from './services.ts';
import { standWith } from './stand.ts';

describe.each(modes)('with %s', (mode) => {
  test('prints the plan, then just the next change, and carries out neither', async () => {
    const stand = await standWith(mode, manifest);
    const { stdout: whole } = await stand.sluice(['diff', ...stand.flags]);
    const run = stand.spawn(['run', '--dry-run', ...stand.flags]);
    const lines = run.iterable({ from: 'stdout' })[Symbol.asyncIterator]();
    // Only `run` keeps copies of what was good.
    const started = (await nextPlan(lines))
      .replace(/^\+ file \S+: copies of the manifests, for a restart\n/m, '')
      .replace('; files: 1 to write', '');
    expect(started).toBe(whole);
    expect(await allRules(stand.exec, mode)).toBe('');
    await stand.rewrite(editedManifest);
    expect(await nextPlan(lines)).toBe(editText(mode));
    expect(await allRules(stand.exec, mode)).toBe('');
    run.kill('SIGTERM');
    expect(await lines.next()).toMatchObject({ done: true });
    expect((await run).exitCode).toBe(0);
    expect(await allRules(stand.exec, mode)).toBe('');
  });
});

/** The lines up to the one that sums a plan up, and ends it. */
async function nextPlan(lines: AsyncIterator<string>): Promise<string> {
  let plan = '';
  for (;;) {
    const { value, done } = await lines.next();
    if (done === true) throw new Error(`no more plans after: ${plan}`);
    plan += `${value}\n`;
    if (value.startsWith('Services: ')) return plan;
  }
}
