// How the lab follows a proxy by its log, with shells in place of the proxy.
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { manifestDigest, SluiceProcess } from '../../src/lab/sluice-process.ts';

function logging(...lines: readonly string[]): string {
  return lines.map((line) => `echo '${line}' >&2\n`).join('');
}

const inStep = (digest: string): string =>
  JSON.stringify({ level: 'info', version: digest, msg: 'in step' });
const waiting = 'exec sleep 60';

function run(script: string): SluiceProcess {
  return new SluiceProcess('sh', ['-c', script]);
}

test('in step with the version that the log named last', async () => {
  const sluice = run(logging('started', inStep('one'), inStep('two')) + waiting);
  await sluice.inStep('two');
  expect(sluice.log).toEqual(['started', inStep('one'), inStep('two')]);
  const first = sluice.inStep('one');
  await Promise.all([expect(first).rejects.toThrow('SIGTERM'), sluice.stop()]);
});

test('a message counts from the line that is named', async () => {
  const sluice = run(logging(inStep('one'), 'not JSON', '{"msg":"gone"}', inStep('two')) + waiting);
  await sluice.logged('gone', 0);
  await sluice.inStep('two');
  await sluice.logged('gone', 2);
  const another = sluice.logged('gone', 3);
  await Promise.all([expect(another).rejects.toThrow('SIGTERM'), sluice.stop()]);
});

test('an end before that is an error that holds the log', async () => {
  const sluice = run(`${logging('{"msg":"in trouble"}', 'what a pity')}exit 3`);
  const message = [
    'sluice has ended (exit code 3); it logged:',
    '{"msg":"in trouble"}',
    'what a pity',
  ].join('\n');
  await expect(sluice.inStep('one')).rejects.toThrow(message);
  await expect(sluice.inStep('one')).rejects.toThrow('sluice has ended; it logged:');
});

test('killed as by a crash', async () => {
  const sluice = run(logging(inStep('one')) + waiting);
  await sluice.inStep('one');
  await sluice.kill();
  await expect(sluice.inStep('two')).rejects.toThrow('sluice has ended');
  await sluice.stop();
});

test('a version is the SHA-256 of its bytes', () => {
  const digest = createHash('sha256').update(Buffer.from('kind: Service # ü\n')).digest('hex');
  expect(manifestDigest('kind: Service # ü\n')).toBe(digest);
});
