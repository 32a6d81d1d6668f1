// Objects of a cluster as a file of manifests. Pure.
import type { KindName } from '../../../cluster/stand-in/kinds.ts';
import type { StoredObject } from './objects.ts';

/** A manifest, as `kubectl get -o json` or `-o yaml` gives it. */
export function manifestText(objects: Iterable<StoredObject>, form: 'json' | 'yaml'): string {
  const items = [...objects].map(({ kind, object }) =>
    Object.assign({ apiVersion: apiVersions[kind], kind }, object),
  );
  if (form === 'json') return `{"apiVersion":"v1","kind":"List","items":[${jsonLines(items)}]}\n`;
  return items.map((item) => `---\n${yamlOf(item, '')}`).join('');
}

const apiVersions: Readonly<Record<KindName, string>> = {
  Service: 'v1',
  EndpointSlice: 'discovery.k8s.io/v1',
  Node: 'v1',
  ServiceCIDR: 'networking.k8s.io/v1',
};

function jsonLines(items: readonly object[]): string {
  return items.map((item) => JSON.stringify(item)).join(',\n');
}

// In block style, as all tools write it; a library takes minutes to write as much.
function yamlOf(value: object, indent: string): string {
  return Object.entries(value)
    .map(([key, field]) => `${indent}${key}:${yamlValue(field, indent)}`)
    .join('');
}

function yamlValue(value: unknown, indent: string): string {
  if (typeof value !== 'object' || value === null) return ` ${JSON.stringify(value)}\n`;
  if (!Array.isArray(value)) return `\n${yamlOf(value, `${indent}  `)}`;
  if (value.length === 0) return ' []\n';
  const entries = value.map((entry: unknown) =>
    typeof entry === 'object' && entry !== null
      ? `${indent}- ${yamlOf(entry, `${indent}  `).trimStart()}`
      : `${indent}- ${JSON.stringify(entry)}\n`,
  );
  return `\n${entries.join('')}`;
}
