// All objects that we know, by what they are; says what each change of them makes stale.
import { compact } from '../compact.ts';
import type {
  ApiServer,
  ClusterChange,
  ClusterObject,
  EndpointSlice,
  Node,
  Service,
  ServiceCidr,
  ServiceKey,
} from '../model/kubernetes.ts';
import { areEqual } from './changes-between.ts';

/** What has to be decided again. */
export type Stale = {
  readonly services: ReadonlySet<ServiceKey>;
  /** Something that every Service's rules depend on changed: this Node, or a ServiceCIDR. */
  readonly settings: boolean;
};

/**
 * The objects of a cluster as one node sees them. Invariant: #slices holds, under each Service, just
 * the slices that name it now, each once, and no empty list.
 */
export class ClusterState {
  readonly #nodeName: string;
  readonly #services = new Map<ServiceKey, Service>();
  readonly #slices = new Map<ServiceKey, readonly EndpointSlice[]>();
  readonly #serviceOfSlice = new Map<string, ServiceKey>();
  readonly #serviceCidrs = new Map<string, ServiceCidr>();
  #node: Node | undefined;
  #apiServer: ApiServer = { addresses: [] };

  constructor(nodeName: string) {
    this.#nodeName = nodeName;
  }

  get node(): Node | undefined {
    return this.#node;
  }

  get apiServer(): ApiServer {
    return this.#apiServer;
  }

  get serviceCidrs(): readonly ServiceCidr[] {
    return [...this.#serviceCidrs.values()];
  }

  get serviceKeys(): Iterable<ServiceKey> {
    return this.#services.keys();
  }

  /** All that is known, as it was given. */
  *objects(): Generator<ClusterObject> {
    for (const value of this.#services.values()) yield { kind: 'Service', id: value.key, value };
    for (const slices of this.#slices.values()) {
      for (const value of slices) yield { kind: 'EndpointSlice', id: idOf(value), value };
    }
    if (this.#node !== undefined) yield { kind: 'Node', id: this.#nodeName, value: this.#node };
    for (const [id, value] of this.#serviceCidrs) yield { kind: 'ServiceCIDR', id, value };
    const value = this.#apiServer;
    if (value.addresses.length > 0) yield { kind: 'APIServer', id: '', value };
  }

  service(key: ServiceKey): Service | undefined {
    return this.#services.get(key);
  }

  slices(key: ServiceKey): readonly EndpointSlice[] {
    return this.#slices.get(key) ?? [];
  }

  /** The slice with this `namespace/name`. */
  slice(id: string): EndpointSlice | undefined {
    const service = this.#serviceOfSlice.get(id);
    return service && this.slices(service).find((slice) => idOf(slice) === id);
  }

  /** Takes over changes in order; what they make stale is returned, once. */
  apply(changes: readonly ClusterChange[]): Stale {
    const services = new Set<ServiceKey>();
    let settings = false;
    for (const change of changes) {
      const touched =
        change.op === 'set' ? this.#set(change.object) : this.#delete(change.kind, change.id);
      if (touched === 'settings') settings = true;
      else for (const key of touched) services.add(key);
    }
    return { services, settings };
  }

  // What says the same as before makes nothing stale: the API repeats objects, and a Node changes with
  // every heartbeat, mostly in fields that are not read.
  #set(object: ClusterObject): readonly ServiceKey[] | 'settings' {
    switch (object.kind) {
      case 'Service':
        if (areEqual(this.#services.get(object.value.key), object.value)) return [];
        this.#services.set(object.value.key, object.value);
        return [object.value.key];
      case 'EndpointSlice':
        return this.#setSlice(object.id, object.value);
      case 'Node':
        return object.id === this.#nodeName ? this.#setNode(object.value) : [];
      case 'ServiceCIDR':
        if (areEqual(this.#serviceCidrs.get(object.id), object.value)) return [];
        this.#serviceCidrs.set(object.id, object.value);
        return 'settings';
      case 'APIServer':
        if (areEqual(this.#apiServer, object.value)) return [];
        this.#apiServer = object.value;
        return 'settings';
    }
  }

  // No rule depends on whether load balancers may use the node.
  #setNode(node: Node): readonly ServiceKey[] | 'settings' {
    const before = this.#node && { ...this.#node, isEligible: node.isEligible };
    this.#node = node;
    return areEqual(before, node) ? [] : 'settings';
  }

  #delete(kind: ClusterObject['kind'], id: string): readonly ServiceKey[] | 'settings' {
    switch (kind) {
      case 'Service':
        return this.#services.delete(id as ServiceKey) ? [id as ServiceKey] : [];
      case 'EndpointSlice':
        return this.#deleteSlice(id);
      case 'Node':
        if (id !== this.#nodeName || this.#node === undefined) return [];
        this.#node = undefined;
        return 'settings';
      case 'ServiceCIDR':
        return this.#serviceCidrs.delete(id) ? 'settings' : [];
      case 'APIServer':
        this.#apiServer = { addresses: [] };
        return 'settings';
    }
  }

  // A slice that names another Service than before leaves the old one (kube-proxy forgets to).
  #setSlice(id: string, slice: EndpointSlice): readonly ServiceKey[] {
    if (areEqual(this.slice(id), slice)) return [];
    // What stays where it is is changed in place: a Map remembers what was deleted, and grows with it.
    const isThere = this.#serviceOfSlice.get(id) === slice.service;
    const previous = isThere ? [] : this.#deleteSlice(id);
    this.#serviceOfSlice.set(id, slice.service);
    const siblings = this.slices(slice.service);
    const at = siblings.findIndex((sibling) => idOf(sibling) === id);
    this.#slices.set(slice.service, at < 0 ? [...siblings, slice] : siblings.with(at, slice));
    return [...previous, slice.service];
  }

  #deleteSlice(id: string): readonly ServiceKey[] {
    const service = this.#serviceOfSlice.get(id);
    if (service === undefined) return [];
    this.#serviceOfSlice.delete(id);
    const others = this.slices(service).filter((slice) => idOf(slice) !== id);
    if (others.length === 0) this.#slices.delete(service);
    else this.#slices.set(service, compact(others));
    return [service];
  }
}

function idOf({ namespace, name }: EndpointSlice): string {
  return `${namespace}/${name}`;
}

/** The objects that these changes lead to, from none. */
export function objectsAfter(
  changes: readonly ClusterChange[],
  nodeName: string,
): readonly ClusterObject[] {
  const state = new ClusterState(nodeName);
  state.apply(changes);
  return [...state.objects()];
}
