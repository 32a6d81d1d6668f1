// Removes conntrack entries by the conntrack tool: reads the table line by line, and has those deleted
// that `isStale` names. However long the table is, memory and time are bounded.
import type { Family } from '../../model/ip.ts';
import type { Protocol } from '../../model/kubernetes.ts';
import type { Flow } from '../../netfilter/flows.ts';
import { parseFlow } from '../../netfilter/parse-flow.ts';
import type { ExecLines } from '../tools/exec-lines.ts';

/** Which entries of the table are looked at, and which of them have to go. */
export type FlowSelection = {
  readonly family: Family;
  readonly protocol: Protocol;
  /** Entries that were sent to other ports are not looked at. */
  readonly ports: ReadonlySet<number>;
  readonly isStale: (flow: Flow) => boolean;
};

/** How long a removal may take. */
export type RemovalLimits = {
  /** Deletions: each reads the whole table again, which is 0.25 s where it has 100,000 entries. */
  readonly deletions: number;
  readonly signal: AbortSignal;
  /** Of one run of the tool. */
  readonly timeoutMs: number;
};

/** What became of the stale entries. */
export type Removal = {
  /** Entries deleted. */
  readonly removed: number;
  /** Some are left, for the limit was reached. */
  readonly isCut: boolean;
};

/** Removes the stale entries; throws MissingToolError or ToolError where the tool does not serve. */
export async function removeStaleFlows(
  execLines: ExecLines,
  selection: FlowSelection,
  { deletions, signal, timeoutMs }: RemovalLimits,
): Promise<Removal> {
  const { stale, isCut } = await findStale(execLines, selection, { deletions, signal, timeoutMs });
  let removed = 0;
  for (const flow of stale.values()) {
    // The rules may have changed since it was seen.
    if (!selection.isStale(flow)) continue;
    await execLines('conntrack', ['-D', ...wordsFor(selection), ...tuple(flow)], {
      onLine: () => (removed += 1),
      signal,
      timeoutMs,
      // 1 says that there was no such entry: it expired in between.
      allowedExitCodes: [1],
    });
  }
  return { removed, isCut };
}

// One deletion does for all clients that were sent to one endpoint from one destination.
async function findStale(
  execLines: ExecLines,
  selection: FlowSelection,
  { deletions, signal, timeoutMs }: RemovalLimits,
): Promise<{ readonly stale: ReadonlyMap<string, Flow>; readonly isCut: boolean }> {
  const stale = new Map<string, Flow>();
  let isCut = false;
  const onLine = (line: string): void => {
    const flow = parseFlow(line, selection.ports);
    if (flow === undefined) return;
    const id = tuple(flow).join(' ');
    if (stale.has(id) || !selection.isStale(flow)) return;
    if (stale.size < deletions) stale.set(id, flow);
    else isCut = true;
  };
  await execLines('conntrack', ['-L', ...wordsFor(selection)], { onLine, signal, timeoutMs });
  return { stale, isCut };
}

function wordsFor({ family, protocol }: FlowSelection): string[] {
  return ['-f', family === 'IPv4' ? 'ipv4' : 'ipv6', '-p', protocol];
}

function tuple({ destination, destinationPort, replySource, replySourcePort }: Flow): string[] {
  const original = ['--orig-dst', destination, '--orig-port-dst', String(destinationPort)];
  return [...original, '--reply-src', replySource, '--reply-port-src', String(replySourcePort)];
}
