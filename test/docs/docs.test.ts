// Every command that the documents show is run as it is printed there, and prints what is shown below it.
import { globSync } from 'node:fs';
import { expect, test } from 'vitest';
import { blocksIn, root, type Block } from './blocks.ts';
import { expectPrinted } from './compare.ts';
import { placeFor } from './scene.ts';
import { notRunHere, sceneOf } from './scenes.ts';

const documents = ['README.md', ...globSync('docs/**/*.md', { cwd: root }).toSorted()];

/** The block without the commands that cannot be run here. */
function runnable(block: Block): readonly Block[] {
  const isRunHere = (command: string) => !notRunHere.some(([pattern]) => pattern.test(command));
  const steps = block.steps.filter(({ command }) => isRunHere(command));
  return steps.length === 0 ? [] : [{ ...block, steps }];
}

const all = documents.flatMap(blocksIn);
const blocks = all.flatMap(runnable);

test('there is no command that cannot be run here in the list alone', () => {
  const commands = all.flatMap(({ steps }) => steps.map(({ command }) => command));
  const unused = notRunHere.filter(([pattern]) => !commands.some((one) => pattern.test(one)));
  expect(unused).toEqual([]);
});

test.each(blocks)('$document:$line', async ({ steps }) => {
  const [first] = steps;
  const scene = sceneOf(first?.command ?? '');
  if (scene === undefined) throw new Error(`no scene for: ${first?.command}`);
  const place = await placeFor(scene);
  for (const { command, printed } of steps) {
    const { exitCode, text } = await place.type(command);
    // What a block shows says how it ends; what shows nothing has to be taken.
    if (printed === undefined) expect([0, 1], text).toContain(exitCode);
    else expectPrinted(printed, text, scene.varying);
  }
});
