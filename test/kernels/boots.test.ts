// The oldest kernels that Sluice supports, each in a virtual machine: Sluice starts there in both modes, its
// Services answer, and nothing is left of it. `npm run test:kernels` tests more, on more kernels. Needs root,
// and a Debian mirror at its first run.
import { beforeAll, expect, test } from 'vitest';
import { prepareBoots, runInGuest } from './boot.ts';
import { guests } from './guests.ts';

const file = 'test/kernel/start-to-cleanup.test.ts';
// A first run downloads and installs; a busy machine is slow at playing a processor.
const timeoutMs = 20 * 60_000;

beforeAll(prepareBoots, timeoutMs);

test.concurrent.each(guests.slice(0, 2))('kernel $name', { timeout: timeoutMs }, async (guest) => {
  const { versions, results } = await runInGuest({ guest, vitestArguments: [file], timeoutMs });
  expect(versions.kernel).toContain(guest.kernel);
  expect(results).toEqual(
    ['nftables', 'iptables'].map((mode) => ({
      file,
      titles: [`${mode} from the start to the clean-up`],
      failures: [],
    })),
  );
});
