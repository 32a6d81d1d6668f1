// What the stand-in API server lacks for the end-to-end test: it takes objects, gives Services their
// addresses and slices as the control plane does, and passes questions on to pods, which are the
// laboratory's. Lists and watches go to the stand-in as they come.
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { Lab } from '../../src/lab/lab.ts';
import { nodes, pods, type Host } from '../../src/lab/topology.ts';
import type { StandInApiServer } from '../cluster/stand-in-api-server.ts';
import type { KindName, RawObject } from '../cluster/stand-in/kinds.ts';
import { sliceObject, type AddressType } from './objects.ts';

type PodPlacement = {
  readonly server: StandInApiServer;
  readonly token: string;
  readonly lab: Lab;
};

type Reply = { readonly status: number; readonly body: object };

/** A pod that the lab has in place of one that a DaemonSet would run. */
type LabPod = {
  readonly host: Host;
  readonly nodeName: string;
  readonly ips: readonly [ipv4: string, ipv6: string];
};

/** One pod on each node, and each node itself. */
const sets: Readonly<Record<string, readonly LabPod[]>> = {
  pods: nodes.flatMap((node) =>
    pods
      .filter((pod) => pod.node === node)
      .slice(0, 1)
      .map(({ host, address }) => ({
        host,
        nodeName: node.nodeName,
        ips: [address.ipv4, address.ipv6] as const,
      })),
  ),
  hosts: nodes.map(({ host, nodeName, lan }) => ({
    host,
    nodeName,
    ips: [lan.ipv4, lan.ipv6] as const,
  })),
};

const kindOf: Readonly<Record<string, KindName>> = {
  services: 'Service',
  endpointslices: 'EndpointSlice',
};

/** Serves one cluster. Invariant: #namespaces holds those that were made and not deleted. */
export class StandInControlPlane {
  readonly #place: PodPlacement;
  readonly #namespaces = new Set<string>();
  #services = 0;

  constructor(server: StandInApiServer, { token, lab }: Omit<PodPlacement, 'server'>) {
    this.#place = { server, token, lab };
  }

  /** The namespaces that are there. */
  get namespaces(): readonly string[] {
    return [...this.#namespaces];
  }

  /** How many Services and slices there are. */
  get objects(): number {
    const { store } = this.#place.server;
    return Object.values(kindOf).flatMap((kind) => store.list(kind, () => true)).length;
  }

  /** The Events that were sent. */
  get events(): StandInApiServer['events'] {
    return this.#place.server.events;
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let reply: Reply | undefined;
    try {
      if (request.headers.authorization !== `Bearer ${this.#place.token}`) {
        reply = { status: 401, body: { kind: 'Status', message: 'Unauthorized' } };
      } else {
        reply = await this.#reply(request);
      }
    } catch (error) {
      reply = { status: 500, body: { kind: 'Status', message: String(error) } };
    }
    if (reply === undefined) return this.#pass(request, response);
    response.writeHead(reply.status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(reply.body));
  }

  async #reply(request: IncomingMessage): Promise<Reply | undefined> {
    const url = new URL(request.url ?? '/', 'https://api');
    const parts = /^\/apis?\/(?:.*\/)?v1\/namespaces(?:\/([^/]+))?(?:\/([a-z]+)(?:\/(.+))?)?$/;
    const [path, namespace = '', resource = '', name = ''] = parts.exec(url.pathname) ?? [];
    if (path === undefined) return undefined;
    const { method = '' } = request;
    // What Sluice asks for, and tells, of single Services and of its Node.
    const isProxys = resource === 'events' || (resource === 'services' && name === '');
    if (isProxys && !(method === 'POST' && resource === 'services')) return undefined;
    if (resource === '') return this.#namespace(method, namespace, request);
    if (!this.#namespaces.has(namespace)) return nothing(namespace);
    if (resource === 'daemonsets') return daemonSet(method, name);
    if (resource === 'pods' && name === '') return podList(url.searchParams);
    if (resource === 'pods') return this.#dial(name, url.searchParams);
    return this.#object(request, { namespace, resource, name });
  }

  async #namespace(method: string, name: string, request: IncomingMessage): Promise<Reply> {
    if (method === 'POST') {
      const object = await bodyOf(request);
      this.#namespaces.add(object.metadata.name);
      return { status: 201, body: object };
    }
    if (!this.#namespaces.has(name)) return nothing(name);
    if (method === 'DELETE') this.#delete(name);
    return { status: 200, body: { kind: 'Namespace', metadata: { name } } };
  }

  #delete(namespace: string): void {
    const { store } = this.#place.server;
    for (const kind of Object.values(kindOf)) {
      for (const { metadata } of store.list(kind, (o) => o.metadata.namespace === namespace)) {
        store.delete(kind, `${namespace}/${metadata.name}`);
      }
    }
    this.#namespaces.delete(namespace);
  }

  async #object(
    request: IncomingMessage,
    { namespace, resource, name }: Readonly<Record<'namespace' | 'resource' | 'name', string>>,
  ): Promise<Reply> {
    const { store } = this.#place.server;
    const kind = kindOf[resource];
    if (kind === undefined) return nothing(resource);
    const id = `${namespace}/${name}`;
    if (request.method === 'GET') {
      const found = store.get(kind, id);
      return found === undefined ? nothing(id) : { status: 200, body: found };
    }
    if (request.method === 'DELETE') {
      const isGone = store.delete(kind, id) && this.#deleteSlices(namespace, name);
      return isGone ? { status: 200, body: { kind: 'Status' } } : nothing(id);
    }
    const { kind: _kind, apiVersion: _apiVersion, ...sent } = await bodyOf(request);
    const object = { ...sent, metadata: { ...sent.metadata, namespace } };
    const stored = kind === 'Service' ? this.#allocated(object) : object;
    store.set(kind, stored);
    if (kind === 'Service') this.#makeSlices(stored);
    return { status: request.method === 'POST' ? 201 : 200, body: stored };
  }

  // As the API server completes a Service of a dual-stack cluster.
  #allocated(service: RawObject): RawObject {
    const spec = service['spec'] as { readonly type?: string; readonly ports: readonly object[] };
    this.#services += 1;
    const clusterIPs = [`10.96.1.${this.#services}`, `fd00:96::1:${this.#services}`];
    const isOpen = spec.type === 'NodePort';
    // A number a Service: TCP and UDP are counted apart.
    const nodePort = 30_000 + this.#services;
    return {
      ...service,
      spec: {
        type: 'ClusterIP',
        sessionAffinity: 'None',
        ...spec,
        clusterIP: clusterIPs[0],
        clusterIPs,
        ipFamilies: ['IPv4', 'IPv6'],
        ports: spec.ports.map((port) => (isOpen ? { ...port, nodePort } : port)),
      },
      status: { loadBalancer: {} },
    };
  }

  // As the controller of EndpointSlices; the only selector here is that of the one set of pods.
  #makeSlices({ metadata: { name, namespace = '' }, ...service }: RawObject): void {
    const { selector } = service['spec'] as { readonly selector?: { readonly app: string } };
    if (selector === undefined) return;
    for (const [index, family] of addressTypes.entries()) {
      const endpoints = (sets[selector.app] ?? []).map(({ ips, nodeName }) => ({
        address: ips[index] ?? '',
        nodeName,
      }));
      const { metadata, ...slice } = sliceObject(name, family, endpoints);
      this.#place.server.store.set('EndpointSlice', {
        ...slice,
        metadata: { ...metadata, namespace },
      });
    }
  }

  #deleteSlices(namespace: string, service: string): boolean {
    const { store } = this.#place.server;
    for (const family of addressTypes) {
      store.delete('EndpointSlice', `${namespace}/${service}-${family.toLowerCase()}`);
    }
    return true;
  }

  // agnhost's /dial, through the API server's proxy to a pod.
  async #dial(path: string, query: URLSearchParams): Promise<Reply> {
    const [, name] = /^http:([^:]+):\d+\/proxy\/dial$/.exec(path) ?? [];
    const pod = Object.values(sets)
      .flat()
      .find(({ host }) => host === name);
    if (pod === undefined) return nothing(path);
    const tries = await this.#place.lab.probe({
      from: pod.host,
      to: query.get('host') ?? '',
      port: Number(query.get('port')),
      protocol: query.get('protocol') === 'udp' ? 'udp' : 'tcp',
      tries: Number(query.get('tries')),
    });
    const responses = tries.flatMap((met) => (met.result === 'ok' ? [met.name] : []));
    const errors = tries.flatMap(({ result }) =>
      result === 'ok' ? [] : [result === 'refused' ? 'connection refused' : 'i/o timeout'],
    );
    return { status: 200, body: { responses, ...(errors.length > 0 ? { errors } : {}) } };
  }

  #pass(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', this.#place.server.url);
    const { authorization: _token, ...headers } = request.headers;
    const passed = http.request(url, { method: request.method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
      answer.on('error', () => response.destroy());
    });
    passed.on('error', () => response.destroy());
    response.on('close', () => passed.destroy());
    request.pipe(passed);
  }
}

const addressTypes: readonly AddressType[] = ['IPv4', 'IPv6'];

function daemonSet(method: string, name: string): Reply {
  if (method === 'POST') return { status: 201, body: {} };
  const number = (sets[name] ?? []).length;
  const status = { observedGeneration: 1, desiredNumberScheduled: number, numberReady: number };
  return { status: 200, body: { metadata: { name, generation: 1 }, status } };
}

function podList(query: URLSearchParams): Reply {
  const name = (query.get('labelSelector') ?? '').replace(/^app=/, '');
  const items = (sets[name] ?? []).map(({ host, nodeName, ips }) => ({
    metadata: { name: host },
    spec: { nodeName },
    status: { podIPs: ips.map((ip) => ({ ip })) },
  }));
  return { status: 200, body: { kind: 'PodList', items } };
}

function nothing(what: string): Reply {
  return { status: 404, body: { kind: 'Status', message: `${what} not found` } };
}

async function bodyOf(request: IncomingMessage): Promise<RawObject> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk as string;
  return JSON.parse(text) as RawObject;
}
