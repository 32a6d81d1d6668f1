// The pods that ask and answer, one of each set on every node: waited for, and asked through the API
// server's proxy, so that nothing but the API server has to be reached from here.
import { isIPv6 } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { ApiClient, ApiObject } from './api-client.ts';
import { portOf, type AddressType, type PodSet } from './objects.ts';

/** A pod that runs. */
export type Pod = {
  readonly set: PodSet;
  readonly name: string;
  readonly nodeName: string;
  /** Its addresses. */
  readonly ips: readonly string[];
  /** What it says its name is. */
  readonly hostname: string;
};

/** Where a pod asks. */
export type Address = {
  readonly host: string;
  readonly port: number;
  readonly protocol: 'http' | 'udp';
};

type PodObject = ApiObject & {
  readonly spec: { readonly nodeName: string };
  readonly status: { readonly podIPs?: readonly { readonly ip: string }[] };
};

type DaemonSetObject = ApiObject & {
  readonly status?: {
    readonly observedGeneration?: number;
    readonly desiredNumberScheduled?: number;
    readonly numberReady?: number;
  };
};

const pollMs = 500;
// Images have to be fetched.
const readyWithinMs = 180_000;

/** Waits until a set has its pod on every node; throws where that takes too long. */
export async function readyPods(
  client: ApiClient,
  { namespace, set, signal }: { namespace: string; set: PodSet; signal: AbortSignal },
): Promise<readonly Pod[]> {
  const path = `/apis/apps/v1/namespaces/${namespace}/daemonsets/${set}`;
  const deadlineMs = performance.now() + readyWithinMs;
  for (;;) {
    const { metadata, status = {} } = await client.request<DaemonSetObject>('GET', path);
    const { observedGeneration = 0, desiredNumberScheduled = 0, numberReady = 0 } = status;
    const isSeen = observedGeneration >= (metadata.generation ?? 0);
    if (isSeen && desiredNumberScheduled > 0 && numberReady === desiredNumberScheduled) break;
    if (performance.now() > deadlineMs) {
      throw new Error(`${numberReady} of ${desiredNumberScheduled} ${set} are ready`);
    }
    await delay(pollMs, undefined, { signal });
  }
  const pods = `/api/v1/namespaces/${namespace}/pods?labelSelector=app%3D${set}`;
  const { items } = await client.request<{ readonly items: readonly PodObject[] }>('GET', pods);
  return items.map(({ metadata: { name }, spec: { nodeName }, status }) => ({
    set,
    name,
    nodeName,
    ips: (status.podIPs ?? []).map(({ ip }) => ip),
    hostname: set === 'hosts' ? nodeName : name,
  }));
}

/** The family of an address. */
export function familyOf(ip: string): AddressType {
  return isIPv6(ip) ? 'IPv6' : 'IPv4';
}

// A refusal at the asker's own output hook fails its call with EPERM.
const refusal = /refused|operation not permitted/i;

/** Has the pod ask so many times; each answer is a host's name, `refused` or `no answer`. */
export async function ask(
  client: ApiClient,
  pod: Pod & { readonly namespace: string },
  { host, port, protocol, tries }: Address & { readonly tries: number },
): Promise<readonly string[]> {
  const proxied = `http:${pod.name}:${portOf(pod.set)}/proxy/dial`;
  const query = new URLSearchParams({
    host,
    port: String(port),
    protocol,
    request: 'hostname',
    tries: String(tries),
  });
  const path = `/api/v1/namespaces/${pod.namespace}/pods/${proxied}?${query.toString()}`;
  type Dialled = { readonly responses?: readonly string[]; readonly errors?: readonly string[] };
  const { responses = [], errors = [] } = await client.request<Dialled>('GET', path);
  return [...responses, ...errors.map((error) => (refusal.test(error) ? 'refused' : 'no answer'))];
}
