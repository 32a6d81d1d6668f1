// Writes docs/reference.md from the table of commands.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { commands } from '../src/cli/commands/table.ts';
import { referenceText } from '../src/cli/help/reference.ts';

await writeFile(join(import.meta.dirname, '../docs/reference.md'), referenceText(commands));
