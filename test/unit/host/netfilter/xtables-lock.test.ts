// Who holds a lock, from what the kernel lists.
import { expect, test } from 'vitest';
import { findLockHolders, parseLocks } from '../../../../src/host/netfilter/xtables-lock.ts';

const listed = `1: POSIX  ADVISORY  WRITE 200 00:19:131 0 EOF
2: FLOCK  ADVISORY  WRITE 4711 00:19:131 0 EOF
2: -> FLOCK  ADVISORY  WRITE 4712 00:19:131 0 EOF
3: FLOCK  ADVISORY  READ  300 fd:01:1310 0 EOF
4: FLOCK  ADVISORY  WRITE 0 00:19:77 0 EOF
5: OFDLCK ADVISORY  WRITE -1 00:19:131 0 EOF
`;

test.each([
  ['the one that has it, not those who wait', 131, [4711]],
  ['of the very file', 1310, [300]],
  ['none that has no number here', 77, []],
  ['none where nobody has it', 13, []],
])('%s', (_, inode, pids) => {
  expect(parseLocks(listed, inode)).toEqual(pids);
});

test('no lock file, no holder', async () => {
  expect(await findLockHolders('/nowhere/xtables.lock')).toEqual([]);
});
