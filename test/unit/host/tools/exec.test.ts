// How a tool gets its input: as a file, whatever Node's own pipes are.
import { env } from 'node:process';
import { afterEach, expect, test } from 'vitest';
import { InputFileError } from '../../../../src/errors.ts';
import { execOnHost } from '../../../../src/host/tools/exec.ts';

const { TMPDIR: usual } = env;
afterEach(() => {
  if (usual === undefined) delete env['TMPDIR'];
  else env['TMPDIR'] = usual;
});

test('a tool reads its input from a regular file, also by name, from its start', async () => {
  const script = 'stat --dereference --format %F /dev/stdin; cat /dev/stdin; cat';
  const { stdout } = await execOnHost('sh', ['-c', script], { input: 'äöü\n' });
  expect(stdout).toBe('regular file\näöü\näöü\n');
});

test('without input there is none', async () => {
  expect((await execOnHost('cat', [])).stdout).toBe('');
});

test('a temporary folder that takes no file is an error that says so', async () => {
  env['TMPDIR'] = '/nowhere';
  const failure: unknown = await execOnHost('cat', [], { input: 'x' }).catch((e: unknown) => e);
  expect(failure).toBeInstanceOf(InputFileError);
  expect((failure as InputFileError).message).toMatch(
    /^cannot write the input of a tool to \/nowhere\/sluice-input-\S+: ENOENT; set TMPDIR to a folder that can be written to$/,
  );
});
