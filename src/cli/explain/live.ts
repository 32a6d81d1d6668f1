// `sluice explain --live`: one real packet of the flow, sent from here or waited for, and its way through
// all rules of this network namespace; then what conntrack keeps of it, and whether that was explained.
import { setTimeout as delay } from 'node:timers/promises';
import { withBackend } from '../../backends/index.ts';
import { MissingToolError, ToolError, UsageError } from '../../errors.ts';
import { explain } from '../../explain/explain.ts';
import type { Explanation } from '../../explain/explanation.ts';
import type { LiveEnd, LiveStep } from '../../explain/live.ts';
import { agrees, LiveWay } from '../../explain/live.ts';
import { isStranger } from '../../netfilter/senders.ts';
import type { World } from '../../explain/world.ts';
import type { Exec } from '../../host/tools/exec.ts';
import type { TracedFlow } from '../../host/netfilter/packet-trace.ts';
import { traceChains, traceTable, whileTracing } from '../../host/netfilter/packet-trace.ts';
import type { Sending } from '../../host/network/send-packet.ts';
import { freePort, sendPacket } from '../../host/network/send-packet.ts';
import { hostPort } from '../../model/forwarding.ts';
import { familyOf } from '../../model/ip.ts';
import type { TraceEvent } from '../../netfilter/parse-trace.ts';
import type { Packet } from '../../netfilter/trace.ts';
import { packetText } from './text.ts';
import type { Io } from '../io.ts';

/** What became of a real packet. */
export type LiveReport = {
  readonly end: LiveEnd;
  readonly steps: readonly LiveStep[];
  /** The entry of conntrack, as it lists it; '' for none, undefined where it cannot be asked. */
  readonly conntrack: string | undefined;
  readonly agrees: boolean;
  /** Rules that no trace shows. */
  readonly hidden: 'iptables-legacy' | undefined;
};

export type LiveOptions = {
  readonly options: { readonly waitMs: number };
  readonly exec: Exec;
  readonly io: Io;
  readonly world: World;
};

/** Explains the packet that was seen, which has its source and interface better than any question. */
export async function goLive(
  asked: Packet,
  live: LiveOptions,
): Promise<{ readonly answer: Explanation; readonly report: LiveReport }> {
  const { exec, world } = live;
  const hidden = await hiddenRules(world, exec);
  const way = new LiveWay(world.config.proxyMode, { table: traceTable, ...traceChains });
  await follow(asked, way, live);
  const packet = packetSeen(asked, way);
  const answer = explain(world, packet);
  const { end, steps } = way;
  const conntrack = await conntrackEntry(packet, way, exec);
  const report = { end, steps, conntrack, hidden, agrees: agrees(end, answer, world.hostIps) };
  return { answer, report };
}

// What the kernel does with a packet takes far less; what is sent again comes after a second.
const sentTimeoutMs = 3000;

async function follow(asked: Packet, way: LiveWay, live: LiveOptions): Promise<void> {
  const { options, io, world } = live;
  const { protocol, source, destination, port, origin } = asked;
  const sending = await sendingOf(asked);
  const timeoutMs = sending === undefined ? options.waitMs : sentTimeoutMs;
  const isAnybody = isStranger(source);
  const flow: TracedFlow = {
    family: world.family,
    origin,
    protocol,
    source: isAnybody ? undefined : source,
    sourcePort: sending?.sourcePort,
    destination,
    port,
  };
  const { promise: isOver, resolve } = Promise.withResolvers<void>();
  const onEvent = (event: TraceEvent): void => {
    way.take(event);
    if (way.isOver) resolve();
  };
  await whileTracing(flow, { signal: io.signal, timeoutMs, onEvent }, async () => {
    const timer = setTimeout(resolve, timeoutMs);
    io.signal.addEventListener('abort', () => resolve(), { once: true });
    const sent = sending === undefined ? undefined : sendPacket(sending);
    if (sent === undefined) io.stderr.write(`${awaited(asked, isAnybody)}\n`);
    await isOver;
    clearTimeout(timer);
    sent?.close();
  });
}

function awaited(asked: Packet, isAnybody: boolean): string {
  const { protocol, destination, port } = asked;
  const whose = isAnybody
    ? `anybody -> ${protocol} ${hostPort(destination, port)}`
    : packetText(asked);
  return `waiting for ${whose}; Ctrl-C ends`;
}

/** What to send from here; undefined where somebody else has to. */
async function sendingOf(asked: Packet): Promise<Sending | undefined> {
  const { origin, protocol, source, destination, port } = asked;
  if (origin !== 'node' || protocol === 'sctp') return undefined;
  try {
    return { protocol, source, destination, port, sourcePort: await freePort(protocol, source) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRNOTAVAIL') throw error;
    throw new UsageError(`--live: ${source} is no address of this host: run it on the node itself`);
  }
}

/** The packet as it came: its own source, and the interface that it came in by. */
function packetSeen(asked: Packet, { first }: LiveWay): Packet {
  const { source = asked.source, inInterface = asked.interface } = first ?? {};
  return { ...asked, source, interface: inInterface };
}

// The entry stands when the last of the rules is done, which is just before it is reported here.
const conntrackTries = 10;
const conntrackPauseMs = 20;

async function conntrackEntry(
  { protocol, source, destination, port }: Packet,
  { end, first }: LiveWay,
  exec: Exec,
): Promise<string | undefined> {
  const sport = first?.sourcePort;
  if (sport === undefined) return '';
  const family = familyOf(destination) === 'IPv4' ? 'ipv4' : 'ipv6';
  const ends = ['--orig-src', source, '--orig-dst', destination];
  const ports = ['--sport', String(sport), '--dport', String(port)];
  const args = ['-L', '-f', family, '-p', protocol, ...ends, ...ports];
  try {
    for (let tried = 1; ; tried += 1) {
      const { stdout } = await exec('conntrack', args, { allowedExitCodes: [1] });
      const entry = stdout.trim();
      if (entry !== '' || end.kind !== 'passed' || tried === conntrackTries) return entry;
      await delay(conntrackPauseMs);
    }
  } catch (error) {
    if (error instanceof MissingToolError || error instanceof ToolError) return undefined;
    throw error;
  }
}

async function hiddenRules({ config }: World, exec: Exec): Promise<LiveReport['hidden']> {
  return withBackend(exec, config, async (backend) => {
    await backend.probe();
    return backend.touches() === undefined ? 'iptables-legacy' : undefined;
  });
}
