// How readily the kernel kills this process where memory runs out.
import { setTimeout as delay } from 'node:timers/promises';
import type { KernelFiles } from './conntrack-sysctls.ts';
import { kernelFiles } from './conntrack-sysctls.ts';

const file = '/proc/self/oom_score_adj';
// As kube-proxy: a second try, a moment later.
const retryDelayMs = 100;

/** Sets oom_score_adj of this process and of the tools that it will run; throws where it may not. */
export async function setOomScoreAdj(
  value: number,
  files: KernelFiles = kernelFiles,
): Promise<void> {
  if (Number((await files.read(file)).trim()) === value) return;
  try {
    await files.write(file, String(value));
  } catch {
    await delay(retryDelayMs);
    await files.write(file, String(value));
  }
}
