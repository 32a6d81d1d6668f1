// What becomes of connections while the rules of a node change hands: takeover from kube-proxy, mode
// switch, restart, crash, rollback. A pod opens each of 50 Services every 5 ms; the node itself and a
// client outside open them as well, less often; 50 connections stay and are used. Needs root and Perl.
// Run: node test/bench/takeover.ts [milliseconds between two opens of one Service by the pod]
import { Console } from 'node:console';
import { allEvents } from './takeover/events.ts';
import { createStage, lossesOf, type EventReport } from './takeover/stage.ts';

const services = 50;
const everyMs = Number(process.argv[2] ?? 5);
const clients = { p13: everyMs, n1: 50, ext: 50 } as const;
const afterEventMs = 1000;

const starts = [
  { theirs: 'kube-proxy nftables', kubeProxy: 'nftables' },
  { theirs: 'kube-proxy iptables', kubeProxy: 'iptables', variant: 'nft' },
  { theirs: 'kube-proxy iptables-legacy', kubeProxy: 'iptables', variant: 'legacy' },
] as const;

const rows: EventReport[] = [];
for (const { theirs, ...start } of starts) {
  await using stage = await createStage({ ...start, services, clients, afterEventMs });
  for await (const report of allEvents(stage, theirs)) {
    rows.push(report);
    process.stderr.write(`${report.event}\n`);
  }
}

const failures = ({ failed }: EventReport): number =>
  Object.values(failed).reduce((total, count) => total + count, 0);

new Console(process.stdout).table(
  rows.map((row) => ({
    event: row.event,
    seconds: row.seconds.toFixed(1),
    'opens/s': Math.round(row.tried / row.seconds),
    tried: row.tried,
    failed: failures(row),
    delayed: row.late,
    held: row.held,
    broken: row.broken.length,
    'gap ms': row.longestGapMs.toFixed(0),
    // The client was late with opens by this much, as it did not get the processor.
    'behind ms': row.behindMs.toFixed(0),
    skipped: row.skipped,
  })),
);
const lost = rows.filter((row) => lossesOf(row).length > 0).map(({ event }) => event);
process.stdout.write(
  `${JSON.stringify({ services, clients, isLossless: lost.length === 0, lost, rows })}\n`,
);
process.exitCode = lost.length === 0 ? 0 : 1;
