// Garbage is collected when memory is given back. How many pages V8 then frees is its own decision; the benches
// measure what stays resident.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

// In a process of its own, as the flags that it sets last: whatever dies there is dead after the call.
const script = `
  const { giveBackMemory } = await import(process.argv[1]);
  let garbage = { list: Array.from({ length: 1000 }, (_, index) => ({ index })) };
  const kept = { list: [] };
  const refs = [garbage, kept].map((object) => new WeakRef(object));
  garbage = undefined;
  // A WeakRef keeps its object until the current job ends.
  await new Promise(setImmediate);
  giveBackMemory();
  console.log(JSON.stringify([...refs.map((ref) => ref.deref() !== undefined), kept.list.length]));
`;

test('what nothing refers to is gone, and the rest stays', async () => {
  const file = join(import.meta.dirname, '../../../src/host/memory.ts');
  const args = ['--input-type=module', '--eval', script, file];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  expect(JSON.parse(stdout)).toEqual([false, true, 0]);
});
