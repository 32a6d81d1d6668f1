// What the node's conntrack table and the sender say became of a connection.
import type { Exec } from '../../../src/host/tools/exec.ts';
import type { Ip } from '../../../src/model/ip.ts';
import { parseIp } from '../../../src/model/ip.ts';
import type { Attempt } from './network.ts';

/** Where a connection went. */
export type Seen =
  | { readonly verdict: 'rejected' | 'dropped' }
  | {
      readonly verdict: 'passed';
      /** Who is to answer. */
      readonly destination: Ip;
      readonly port: number;
      /** Whom the answer is sent to. */
      readonly source: Ip;
    };

/** The node's connections, each under its own source, port and protocol. */
export async function readConnections(exec: Exec): Promise<ReadonlyMap<string, Seen>> {
  const seen = new Map<string, Seen>();
  for (const family of ['ipv4', 'ipv6']) {
    const { stdout } = await exec('conntrack', ['-L', '-f', family]);
    for (const line of stdout.split('\n')) {
      const fields = [...line.matchAll(/\b(src|dst|sport|dport)=(\S+)/g)].map(([, , text]) => text);
      if (fields.length !== 8) continue;
      const [source, , sourcePort, , destination, client, port] = fields as string[];
      seen.set(`${line.slice(0, 3)} ${parseIp(source ?? '')} ${sourcePort}`, {
        verdict: 'passed',
        destination: parseIp(destination ?? '') as Ip,
        port: Number(port),
        source: parseIp(client ?? '') as Ip,
      });
    }
  }
  return seen;
}

/** What is known of an attempt. */
export type Evidence = {
  /** What the sender was told; '' for nothing. */
  readonly error: string;
  readonly connections: ReadonlyMap<string, Seen>;
  readonly hostIps: readonly Ip[];
};

/** What became of one attempt: only what was let through stands in the table. */
export function seenOf(
  { protocol, source, sourcePort, destination }: Attempt,
  { error, connections, hostIps }: Evidence,
): Seen {
  const refusal = { verdict: error === 'ECONNREFUSED' ? 'rejected' : 'dropped' } as const;
  const found = connections.get(`${protocol} ${source} ${sourcePort}`);
  if (found === undefined) return refusal;
  // What the node sends to itself stands in the table before it comes in, where it may still end.
  const isToItself = hostIps.includes(source as Ip) && hostIps.includes(destination as Ip);
  const isUntouched = found.verdict === 'passed' && found.destination === destination;
  return isToItself && isUntouched ? refusal : found;
}
