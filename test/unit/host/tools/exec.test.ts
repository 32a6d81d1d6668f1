// How a tool gets its input: as a file, whatever Node's own pipes are. And what becomes of one that hangs.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env, kill } from 'node:process';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { InputFileError, type ToolError } from '../../../../src/errors.ts';
import { execOnHost, type ExecResult } from '../../../../src/host/tools/exec.ts';
import { toldExec, type SlowCommand } from '../../../../src/host/tools/observed-exec.ts';

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

test('a tool that hangs is killed in time, with what it has started', async () => {
  const file = join(await temporaryFolder(), 'pid');
  const script = `sleep 1000 & echo $! > ${file}; wait`;
  const running = execOnHost('sh', ['-c', script], { timeoutMs: 500 });
  const failure = (await running.catch((error: unknown) => error)) as ToolError;
  const started = await readFile(file, 'utf8');
  expect(failure.message).toBe(`sh -c ${script}: it did not end within 0.5 s, and was killed`);
  // Where nobody takes its exit code it stays as a zombie.
  const state = await readFile(`/proc/${started.trim()}/stat`, 'utf8').catch(() => 'gone');
  expect(state).toMatch(/^gone$|\) Z /);
});

test('a tool that ends is not waited for because of what it leaves behind', async () => {
  const { stdout } = await execOnHost('sh', ['-c', 'sleep 1000 & echo $!']);
  kill(Number(stdout));
});

test('a tool that runs for more than five seconds is told of, and that it has ended', async () => {
  vi.useFakeTimers();
  try {
    const told: SlowCommand[] = [];
    const ended = Promise.withResolvers<ExecResult>();
    const exec = toldExec(
      () => ended.promise,
      (command) => told.push(command),
    );
    const running = exec('nft', ['-f', '-']);
    vi.advanceTimersByTime(4999);
    expect(told).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(told).toEqual([{ command: 'nft -f -', seconds: 5, isOver: false }]);
    vi.advanceTimersByTime(2000);
    ended.resolve({ stdout: '', stderr: '', exitCode: 0 });
    await running;
    expect(told.slice(1)).toEqual([{ command: 'nft -f -', seconds: 7, isOver: true }]);
  } finally {
    vi.useRealTimers();
  }
});

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-exec-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}
