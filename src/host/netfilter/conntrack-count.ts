// How many conntrack entries would have to go: the table read line by line and counted, nothing changed.
import type { Flow } from '../../netfilter/flows.ts';
import { parseFlow } from '../../netfilter/parse-flow.ts';
import type { FlowSelection } from './conntrack.ts';
import type { ExecLines } from '../tools/exec-lines.ts';

/**
 * Calls `onStale` for every entry that a removal of this selection would delete; throws MissingToolError
 * or ToolError where the tool does not serve.
 */
export async function findStaleFlows(
  execLines: ExecLines,
  { family, protocol, ports, isStale }: FlowSelection,
  { onStale, ...limits }: StaleOptions,
): Promise<void> {
  const onLine = (line: string): void => {
    const flow = parseFlow(line, ports);
    if (flow !== undefined && isStale(flow)) onStale(flow);
  };
  const words = ['-L', '-f', family === 'IPv4' ? 'ipv4' : 'ipv6', '-p', protocol];
  await execLines('conntrack', words, { ...limits, onLine });
}

type StaleOptions = {
  readonly onStale: (flow: Flow) => void;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
};
