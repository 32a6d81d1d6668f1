// All that a cluster, or manifests, say at one moment, asides included. Listed once, nothing is followed.
import { ApiError, ManifestError } from '../errors.ts';
import type { ClusterObject } from '../model/kubernetes.ts';
import type { ApiConnection } from './api/connection/connection.ts';
import { apiServerAt } from './api/follow-cluster.ts';
import { listPages } from './api/watch/list-pages.ts';
import { resourcesOf, type Resource } from './api/watch/resources.ts';
import type { Aside } from './decode/aside.ts';
import { decodeAsides } from './decode/aside.ts';
import { decodeObject } from './decode/object.ts';
import { describeProblem, manifestsFrom } from './manifests/manifests.ts';
import type { FileSource } from './manifests/files.ts';
import { readFirst } from './manifests/readings.ts';
import { printable } from './problem.ts';

/** Objects, what beside them no rule is made of, and what is wrong with some: a line each, safe to print. */
export type Listed = {
  readonly objects: readonly ClusterObject[];
  readonly asides: readonly Aside[];
  readonly problems: readonly string[];
  /** How many of these keep an object, or something of one, from being used. */
  readonly faults: number;
};

/** Reads manifests; throws ManifestError where there are only bad ones. */
export async function listManifests(path: string, source: FileSource): Promise<Listed> {
  const asides: Aside[] = [];
  const onObject = (raw: unknown): number => asides.push(...decodeAsides(raw));
  const { files } = await readFirst(path, { ...source, onObject });
  const { objects, problems } = manifestsFrom(files.values());
  const lines = problems.map(describeProblem);
  const faults = problems.filter(({ isWarning }) => !isWarning).length;
  if (objects.size === 0 && faults > 0) throw new ManifestError(lines.join('\n'));
  return { objects: [...objects.values()], asides, problems: lines, faults };
}

// No page takes as long; a server that is silent for so long is not there.
const quietMs = 30_000;

/** Lists what the proxy of this node would follow, and what it would not. Throws ApiError. */
export async function listCluster(
  connection: ApiConnection,
  { nodeName, signal }: { readonly nodeName: string; readonly signal: AbortSignal },
): Promise<Listed> {
  const listed = {
    objects: [] as ClusterObject[],
    asides: [] as Aside[],
    problems: [] as string[],
  };
  for (const resource of resourcesOf(nodeName)) {
    try {
      for await (const page of listPages(connection, everythingOf(resource), limitsOf(signal))) {
        for (const item of page.items) takeIn(listed, resource, item);
      }
    } catch (error) {
      const isAbsent = error instanceof ApiError && [403, 404].includes(error.status ?? 0);
      if (!resource.mayBeAbsent || !isAbsent) throw error;
    }
  }
  listed.objects.push(apiServerAt(connection.peers).object);
  return { ...listed, faults: listed.problems.length };
}

function limitsOf(signal: AbortSignal) {
  return { signal, quietMs: (): number => quietMs };
}

// Headless Services and their slices too, which the proxy leaves out.
function everythingOf(resource: Resource): Resource {
  const isService = resource.kind === 'Service' || resource.kind === 'EndpointSlice';
  return isService ? { ...resource, selectors: {} } : resource;
}

function takeIn(
  { objects, asides, problems }: Mutable,
  { kind, apiVersion }: Resource,
  item: unknown,
): void {
  const raw = typeof item === 'object' && item !== null ? { kind, apiVersion, ...item } : item;
  asides.push(...decodeAsides(raw));
  const decoded = decodeObject(raw);
  if (decoded.kind === 'object') objects.push(decoded.object);
  if (decoded.kind === 'ignored') return;
  const id = decoded.kind === 'object' ? decoded.object.id : (decoded.id ?? '');
  for (const { field, message } of decoded.problems) {
    problems.push(printable(`${kind} ${id}: ${field}: ${message}`));
  }
}

type Mutable = {
  readonly objects: ClusterObject[];
  readonly asides: Aside[];
  readonly problems: string[];
};
