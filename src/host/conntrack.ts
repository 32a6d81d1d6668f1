// Removes conntrack entries of UDP flows that lead to endpoints which are gone, by the conntrack tool.
import type { Family } from '../model/ip.ts';
import type { Flow, FlowTargets } from '../netfilter/flows.ts';
import { parseFlow, staleFlows } from '../netfilter/flows.ts';
import type { Exec } from './exec.ts';

/** Removes the stale flows of these frontends; returns how many kinds of flow were removed. */
export async function removeStaleFlows(
  exec: Exec,
  family: Family,
  targets: FlowTargets,
): Promise<number> {
  if (targets.size === 0) return 0;
  const selection = ['-f', family === 'IPv4' ? 'ipv4' : 'ipv6', '-p', 'udp'];
  const { stdout } = await exec('conntrack', ['-L', ...selection]);
  const stale = staleFlows(flowsIn(stdout), targets);
  for (const flow of stale) {
    // 1 says that there was no such entry: it expired in between.
    await exec('conntrack', ['-D', ...selection, ...tuple(flow)], { allowedExitCodes: [1] });
  }
  return stale.length;
}

function* flowsIn(listing: string): Generator<Flow> {
  for (const line of listing.split('\n')) {
    const flow = parseFlow(line);
    if (flow !== undefined) yield flow;
  }
}

function tuple({ destination, destinationPort, replySource, replySourcePort }: Flow): string[] {
  const original = ['--orig-dst', destination, '--orig-port-dst', String(destinationPort)];
  return [...original, '--reply-src', replySource, '--reply-port-src', String(replySourcePort)];
}
