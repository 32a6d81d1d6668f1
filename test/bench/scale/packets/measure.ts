// What a new flow costs on a node: processor time of its first packet, past all Services and to Services of
// each kind, for rules side by side. In: Services, and a file of rules for each node. Out: microseconds.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BenchService } from '../cluster/services.ts';
import { median } from '../statistics.ts';
import { flowKinds, flowsOf, type FlowKind } from './flows.ts';
import { framesOf } from './frames.ts';
import { createPacketNetwork, nowhere, type PacketNode } from './network.ts';
import { startSender, type Sender } from './sender.ts';

/** The microseconds of each kind of flow in the node: from its one interface to the other. */
export type FlowTimes = ReadonlyMap<FlowKind, number>;

export type PacketTimes<Layout extends string> = {
  readonly flows: ReadonlyMap<Layout, FlowTimes>;
  /** Microseconds that it takes a client's program to send a datagram, before the node has it. */
  readonly client: number;
};

export type PacketOptions<Layout extends string> = {
  readonly services: readonly BenchService[];
  /** For each node, the file that `nft -f` loads there. */
  readonly rules: ReadonlyMap<Layout, string>;
  readonly rounds: number;
};

/**
 * Connection tracking and address translation, with no rule that a packet meets: what every proxy's node has.
 * The rule that is never come to makes the kernel track connections.
 */
export const noProxy = `table ip bench {
  chain never {
    ct state new masquerade
  }
  chain none {
    type nat hook prerouting priority -100;
  }
}
`;

// So many at a time stay far below what the kernel tracks at most.
const flowsInRound = 2500;
const differentRounds = 8;
const longestLoadMs = 900_000;

/** Measures it; the layouts take turns, one kind of flow after the other. */
export async function measurePackets<Layout extends string>(
  options: PacketOptions<Layout>,
): Promise<PacketTimes<Layout>> {
  await using network = await createPacketNetwork(options.rules.size);
  await using folder = await temporaryFolder();
  const files = await writeFlows(options.services, folder.path);
  const nodes = [...options.rules].map(([layout, file], n) => ({
    layout,
    file,
    node: network.nodes[n] as PacketNode,
  }));
  await Promise.all(
    nodes.map(({ node, file }) => node.exec('nft', ['-f', file], { timeoutMs: longestLoadMs })),
  );
  await using sender = await startSender(network.client);
  const jobs = [...files].flatMap(([kind, file]) =>
    nodes
      .filter(({ layout }) => kind === 'past all Services' || layout !== nodes[0]?.layout)
      .map(({ layout, node }): Job<Layout> => ({ layout, node, kind, file, times: [] })),
  );
  const meant: Job<Layout>[] = [];
  for (const job of jobs) if (await isMeant(sender, job)) meant.push(job);
  const [bare, client]: readonly [number[], number[]] = [[], []];
  for (let round = 0; round < options.rounds; round += 1) {
    const nothing = { file: jobs[0]?.file ?? '', interface: nowhere.interface, first: 0 };
    bare.push(...(await sender.send({ ...nothing, count: flowsInRound })));
    client.push(...(await sender.sendFromSocket(nowhere.ip, flowsInRound)));
    for (const job of meant) job.times.push(...(await sendRound(sender, job, round)));
  }
  return { client: median(client), flows: timesOf(meant, median(bare)) };
}

// Less what it takes to send a prepared frame, where no node takes it up.
function timesOf<Layout>(
  jobs: readonly Job<Layout>[],
  sendingUs: number,
): ReadonlyMap<Layout, FlowTimes> {
  const byLayout = Map.groupBy(jobs, ({ layout }) => layout);
  return new Map(
    [...byLayout].map(([layout, own]) => [
      layout,
      new Map(own.map(({ kind, times }) => [kind, median(times) - sendingUs])),
    ]),
  );
}

type Job<Layout> = {
  readonly layout: Layout;
  readonly node: PacketNode;
  readonly kind: FlowKind;
  readonly file: string;
  readonly times: number[];
};

async function sendRound(
  sender: Sender,
  { node, file }: Job<string>,
  round: number,
): Promise<readonly number[]> {
  const first = (round % differentRounds) * flowsInRound;
  const times = await sender.send({ interface: node.interface, file, first, count: flowsInRound });
  // Each flow is to be a new one again.
  await node.exec('conntrack', ['-F']);
  return times;
}

// What is measured must be what is meant: each packet comes out of the node, its flow is tracked, and
// translated if it is to a Service. Else there is no figure for it.
async function isMeant(sender: Sender, job: Job<string>): Promise<boolean> {
  const { node, kind, file, layout } = job;
  const before = await node.passed();
  await sender.send({ interface: node.interface, file, first: 0, count: flowsInRound });
  const list = async (...flags: readonly string[]): Promise<number> => {
    const { stdout } = await node.exec('conntrack', ['-L', ...flags]);
    return stdout.split('\n').filter((line) => line.includes('src=')).length;
  };
  const found = {
    passed: (await node.passed()) - before,
    tracked: await list(),
    translated: await list('--dst-nat'),
  };
  await node.exec('conntrack', ['-F']);
  const translated = kind === 'past all Services' ? 0 : flowsInRound;
  const wanted = { passed: flowsInRound, tracked: flowsInRound, translated };
  if (JSON.stringify(found) === JSON.stringify(wanted)) return true;
  const differs = `${JSON.stringify(found)} in place of ${JSON.stringify(wanted)}`;
  process.stderr.write(`${layout}: new flows ${kind}: ${differs}\n`);
  return false;
}

async function writeFlows(
  services: readonly BenchService[],
  folder: string,
): Promise<ReadonlyMap<FlowKind, string>> {
  const files = new Map<FlowKind, string>();
  for (const [index, kind] of flowKinds.entries()) {
    const flows = flowsOf(kind, services, flowsInRound * differentRounds);
    if (flows.length === 0) continue;
    const file = join(folder, `${index}.frames`);
    await writeFile(file, framesOf(flows));
    files.set(kind, file);
  }
  return files;
}

async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'sluice-packets-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
