// What a tool reads on its standard input, as a file: Node's own pipes are sockets, which nft 1.0.9 refuses
// ("Not a regular file: /dev/stdin") and nft 1.0.6 cannot open by name. The file is whole before the tool
// starts, so a tool never acts on half of it.
import { randomUUID } from 'node:crypto';
import { closeSync, openSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InputFileError } from '../../errors.ts';

/**
 * Calls `use` with the descriptor of a file that holds `text`, to be read from its start; the file is in no
 * folder by then, and is closed afterwards. Throws InputFileError if the temporary folder takes no file.
 */
export async function withInputFile<R>(
  text: string,
  use: (descriptor: number) => Promise<R>,
): Promise<R> {
  const descriptor = inputFile(text);
  try {
    return await use(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function inputFile(text: string): number {
  const path = join(tmpdir(), `sluice-input-${randomUUID()}`);
  try {
    writeFileSync(path, text, { flag: 'wx', mode: 0o600 });
    const descriptor = openSync(path, 'r');
    unlinkSync(path);
    return descriptor;
  } catch (error) {
    throw new InputFileError(path, error as NodeJS.ErrnoException);
  }
}
