import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { commands } from '../../../../src/cli/commands/table.ts';
import { referenceText } from '../../../../src/cli/help/reference.ts';

const file = join(import.meta.dirname, '../../../../docs/reference.md');

test('docs/reference.md is what `npm run docs` writes', () => {
  expect(readFileSync(file, 'utf8')).toBe(referenceText(commands));
});
