// How many elements of sets and maps a change touches, as the kernel tells whoever listens.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { comingEndpoint, type Probe } from './cluster/probes.ts';
import { stopped } from './line-process.ts';
import type { Stage } from './stage.ts';

const quietMs = 1000;
const mostTries = 60;

/** The elements that are added and deleted when one endpoint comes to a Service. */
export async function countElements(stage: Stage, probe: Probe): Promise<number> {
  const command = ['netns', 'exec', stage.node, 'nft', 'monitor', 'elements'];
  const child = spawn('ip', command, { stdio: ['ignore', 'pipe', 'inherit'] });
  let lines = 0;
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (/^(?:add|delete) element ip6? sluice /.test(line)) lines += 1;
  });
  try {
    // It reads the whole table before it tells of anything.
    for (let n = 0; n < mostTries && lines === 0; n += 1) {
      await stage.change(comingEndpoint(probe, n % 2 === 0 ? n : undefined));
      await delay(quietMs);
    }
    await stage.change(comingEndpoint(probe, undefined));
    await delay(quietMs);
    lines = 0;
    await stage.change(comingEndpoint(probe, mostTries));
    await delay(quietMs);
    return lines === 0 ? Number.NaN : lines;
  } finally {
    await stopped(child, 'SIGKILL');
  }
}
