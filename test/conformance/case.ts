// A conformance case as its YAML file has it, and what of it holds for one proxy mode.
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import type { ProbeRequest } from '../../src/lab/lab.ts';
import { nodes, type Overlay } from '../../src/lab/topology.ts';
import type { ProxyMode } from '../../src/model/config.ts';

/** A Kubernetes object as it stands in a case; only its identity matters here. */
export type KubernetesObject = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
};

/** What must be seen of the tries of one probe. */
export type Expectation = {
  readonly result: 'ok' | 'refused' | 'timeout';
  /** The names of all that answered, over all tries. */
  readonly backends?: readonly string[] | 'exactly one';
  /** The source addresses that they saw, over all tries. */
  readonly sources?: readonly string[];
  readonly status?: number;
  readonly body?: unknown;
};

/** One probe, with what is expected of it: the same for all backends, or by proxy mode. */
export type Probe = ProbeRequest & {
  /** The answers must be spread evenly over the backends. */
  readonly even?: boolean;
  readonly expect: Expectation | Readonly<Record<ProxyMode, Expectation>>;
};

/** Objects that come or change, then objects that go, then the probes of what is left. */
export type Step = {
  readonly apply?: readonly KubernetesObject[];
  readonly delete?: readonly KubernetesObject[];
  readonly probes?: readonly Probe[];
};

export type Case = { readonly title: string; readonly steps: readonly Step[] };

/** Where the cases are that kube-proxy was seen to answer. */
export const caseFolder = new URL('cases/', import.meta.url);

/** Where those are that were not recorded, but follow from kube-proxy's source. */
export const unrecordedFolder = new URL('unrecorded/', import.meta.url);

/** Reads the case of that name. */
export async function readCase(name: string, folder = caseFolder): Promise<Case> {
  return parse(await readFile(new URL(`${name}.yaml`, folder), 'utf8')) as Case;
}

/** What a probe expects where the proxy runs in this mode. */
export function expectationOf({ expect }: Probe, mode: ProxyMode): Expectation {
  return 'result' in expect ? expect : expect[mode];
}

/**
 * The expectation where pods of two nodes are joined like that. Cases were seen without a tunnel; with
 * one, what is masqueraded on its way to the other node has the address of the tunnel's device.
 */
export function expectationOver(overlay: Overlay, expected: Expectation): Expectation {
  const isTunnel = overlay === 'vxlan' || overlay === 'udp';
  if (expected.sources === undefined || !isTunnel) return expected;
  const [{ lan, tunnel }] = nodes;
  const inTunnel = new Map([
    [lan.ipv4, tunnel.ipv4],
    [lan.ipv6, tunnel.ipv6],
  ]);
  return { ...expected, sources: expected.sources.map((one) => inTunnel.get(one) ?? one) };
}
