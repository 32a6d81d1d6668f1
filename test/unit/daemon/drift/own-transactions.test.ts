// Which transactions are ours, by the process, or by its name where ids of processes tell nothing.
import { expect, test } from 'vitest';
import type { Exec } from '../../../../src/host/tools/exec.ts';
import { OwnTransactions } from '../../../../src/daemon/drift/own-transactions.ts';

const done = { stdout: '', stderr: '', exitCode: 0 };

/** An Exec whose processes are numbered from 101. */
function numbering(): Exec {
  let pid = 100;
  return async (_file, _args, options) => {
    pid += 1;
    options?.onStart?.(pid);
    return done;
  };
}

const restore = '*filter\n-A X\nCOMMIT\n*nat\n-A X\nCOMMIT\n';

test('by the process that made it', async () => {
  const own = new OwnTransactions({ isExact: true, now: () => 0 });
  const exec = own.through(numbering());
  await exec('nft', ['-j', 'list', 'table', 'ip', 'sluice']);
  await exec('nft', ['-f', '-'], { input: 'x' });
  await exec('iptables-restore', ['-w', '5', '--noflush'], { input: restore });
  // The first one only read.
  const claims = [101, 102, 103, 104].map((pid) => own.claim({ pid, process: 'nft' }));
  expect(claims).toEqual([false, true, true, false]);
});

test('of the last 64 processes alone: the ids of others may be those of strangers by now', async () => {
  const own = new OwnTransactions({ isExact: true, now: () => 0 });
  const exec = own.through(numbering());
  for (let run = 0; run < 65; run += 1) await exec('nft', ['-f', '-'], { input: 'x' });
  const claims = [101, 102, 165].map((pid) => own.claim({ pid, process: 'nft' }));
  expect(claims).toEqual([false, true, true]);
});

test('by the name of the tool, and no more of them than there can be', async () => {
  let at = 0;
  const own = new OwnTransactions({ isExact: false, now: () => at });
  const exec = own.through(numbering());
  await exec('nft', ['--check', '-f', '-'], { input: 'x' });
  const nft = { pid: 4711, process: 'nft' };
  expect(own.claim(nft)).toBe(false);
  await exec('nft', ['-f', '-'], { input: 'x' });
  expect([own.claim(nft), own.claim(nft)]).toEqual([true, false]);
  await exec('ip6tables-nft-restore', ['--noflush'], { input: restore });
  const named = { pid: 4712, process: 'ip6tables-nft-r' };
  expect([nft, named, named, named].map((author) => own.claim(author))).toEqual([
    false,
    true,
    true,
    false,
  ]);
  await exec('nft', ['-f', '-'], { input: 'x' });
  at = 1001;
  expect(own.claim(nft)).toBe(false);
});

test('what failed stands for nothing', async () => {
  const own = new OwnTransactions({ isExact: false, now: () => 0 });
  const exec = own.through(() => Promise.reject(new Error('File exists')));
  await expect(exec('nft', ['-f', '-'], { input: 'x' })).rejects.toThrow('File exists');
  expect(own.claim({ pid: 4711, process: 'nft' })).toBe(false);
});

test('where the kernel does not say who it was, as many as we made', async () => {
  const own = new OwnTransactions({ isExact: true, now: () => 0 });
  await own.through(numbering())('nft', ['-f', '-'], { input: 'x' });
  expect([own.claim('unknown'), own.claim('unknown')]).toEqual([true, false]);
});
