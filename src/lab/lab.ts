// A cluster on one machine: every host of the topology in a network namespace of its own, with an agent
// in it. In: how pods meet, and how they reach outside. Out: a Lab to probe, and to close. It leaves the
// machine's own namespace alone and needs root.
import { userInfo } from 'node:os';
import { LabError } from '../errors.ts';
import { type Exec, type ExecOptions, execOnHost, type ExecResult } from '../host/tools/exec.ts';
import { startAgent, type AgentProcess } from './agent-process.ts';
import {
  createNamespaces,
  deleteNamespaces,
  namespaceName,
  newLabName,
  sweepNamespaces,
} from './namespaces.ts';
import type { AgentSetup, Flight, HeldCommand, Try } from './agent/protocol.ts';
import { masqueradePods } from './pod-network/node-masquerade.ts';
import { startTunnel, type Tunnel } from './pod-network/tunnel.ts';
import { startSluice, type SluiceOptions, type SluiceProcess } from './sluice-process.ts';
import { sysctlScript } from './sysctls.ts';
import * as topology from './topology.ts';
import { type Batch, type LabNamespace, type Plan, wiringSteps } from './wiring.ts';
import type { Host, Outside, Overlay } from './topology.ts';

/** Which lab is made; without a word, pods are joined and reach outside by plain routes. */
export type LabOptions = { readonly overlay?: Overlay; readonly outside?: Outside };

/** A probe: who sends what to where. */
export type ProbeRequest = Flight & { readonly from: Host };

/** A lab that stands; close() takes down all of it, and may be called twice. */
export type Lab = AsyncDisposable & {
  /** The name of a host's namespace, for `ip netns exec`. */
  namespace: (host: Host) => string;
  /** Runs a program in a host's namespace to its end. */
  exec: (
    host: Host,
    command: readonly [file: string, ...args: string[]],
    options?: ExecOptions,
  ) => Promise<ExecResult>;
  probe: (request: ProbeRequest) => Promise<readonly Try[]>;
  /** Opens, uses and closes a connection that stays open between the calls. */
  hold: (from: Host, command: HeldCommand) => Promise<Try | undefined>;
  /** Starts Sluice on n1; close() ends it where stop() or kill() has not. */
  startSluice: (options: SluiceOptions) => SluiceProcess;
  close: () => Promise<void>;
};

/** Makes a lab, after sweeping what labs of dead processes have left behind. */
export async function createLab(options: LabOptions = {}): Promise<Lab> {
  if (userInfo().uid !== 0) throw new LabError('a lab makes network namespaces: run it as root');
  const exec = execOnHost;
  await sweepNamespaces(exec);
  const name = await newLabName();
  const namespaceOf = (place: LabNamespace): string => namespaceName(name, place);
  const { overlay = 'host-gw', outside = 'routed' } = options;
  try {
    await wire(exec, { overlay, outside, namespaceOf });
    const tunnels = overlay === 'udp' ? await startTunnels(namespaceOf) : [];
    return standingLab({ exec, namespaceOf, tunnels, agents: await startAgents(namespaceOf) });
  } catch (error) {
    // Tunnels and agents that had started end with their namespaces.
    await deleteNamespaces(exec, places.map(namespaceOf));
    throw error;
  }
}

const places: readonly LabNamespace[] = [...topology.hosts, 'lan'];

async function wire(exec: Exec, plan: Plan): Promise<void> {
  const { namespaceOf, outside } = plan;
  await createNamespaces(exec, places.map(namespaceOf));
  const inNamespace = ['netns', 'exec'];
  await Promise.all(
    topology.hosts.map((host) =>
      exec('ip', [...inNamespace, namespaceOf(host), 'sh'], { input: sysctlScript(host) }),
    ),
  );
  const run = ({ place, lines }: Batch): Promise<ExecResult> =>
    exec('ip', ['-n', namespaceOf(place), '-batch', '-'], { input: `${lines.join('\n')}\n` });
  for (const step of wiringSteps(plan)) await Promise.all(step.map(run));
  if (outside === 'routed') return;
  await Promise.all(topology.nodes.map(({ host }) => masqueradePods(exec, namespaceOf(host))));
}

function startTunnels(namespaceOf: (place: LabNamespace) => string): Promise<readonly Tunnel[]> {
  const [first, second] = topology.nodes;
  const ends = [
    { node: first, other: second },
    { node: second, other: first },
  ];
  return Promise.all(ends.map((end) => startTunnel(namespaceOf(end.node.host), end)));
}

async function startAgents(
  namespaceOf: (place: LabNamespace) => string,
): Promise<ReadonlyMap<Host, AgentProcess>> {
  const started = topology.hosts.map(
    async (host) => [host, await startAgent(namespaceOf(host), agentSetup(host))] as const,
  );
  return new Map(await Promise.all(started));
}

/** What the agent of a host serves. */
function agentSetup(name: Host): AgentSetup {
  const pod = topology.pods.find(({ host }) => host === name);
  if (pod !== undefined) {
    const { podTcpPorts: tcpPorts, podUdpPorts: udpPorts, podEchoPort } = topology;
    const addresses = Object.values(pod.address);
    return { name, addresses, tcpPorts, udpPorts, echoPorts: [podEchoPort] };
  }
  const node = topology.nodes.find(({ host }) => host === name);
  const own = node === undefined ? [topology.outside] : [node.lan, node.gateway];
  const addresses = own.flatMap((dual) => Object.values(dual));
  const ports = [node === undefined ? topology.outsidePort : topology.nodePort];
  return { name, addresses, tcpPorts: ports, udpPorts: ports, echoPorts: [] };
}

type Parts = {
  readonly exec: Exec;
  readonly namespaceOf: (place: LabNamespace) => string;
  readonly tunnels: readonly Tunnel[];
  readonly agents: ReadonlyMap<Host, AgentProcess>;
};

function standingLab({ exec, namespaceOf, tunnels, agents }: Parts): Lab {
  const agentOf = (host: Host): AgentProcess => {
    const agent = agents.get(host);
    if (agent === undefined) throw new LabError(`the lab has no host ${host}`);
    return agent;
  };
  const sluices: SluiceProcess[] = [];
  const takeDown = async (): Promise<void> => {
    await Promise.all([
      ...sluices.map((sluice) => sluice.stop()),
      ...[...agents.values()].map((agent) => agent.close()),
      ...tunnels.map((tunnel) => tunnel.close()),
    ]);
    await deleteNamespaces(exec, places.map(namespaceOf));
  };
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= takeDown());
  return {
    namespace: namespaceOf,
    exec: (host, command, options) =>
      exec('ip', ['netns', 'exec', namespaceOf(host), ...command], options),
    probe: ({ from, ...flight }) => agentOf(from).ask({ kind: 'probe', ...flight }),
    hold: async (from, command) => (await agentOf(from).ask(command))[0],
    startSluice: (options) => {
      const sluice = startSluice(namespaceOf('n1'), options);
      sluices.push(sluice);
      return sluice;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
