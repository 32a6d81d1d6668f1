// Decodes an object of any kind by its kind and apiVersion. Kinds that a Service proxy does not read are
// ignored, also those of other groups that share a name (Knative has a Service too).
import { decodeEndpointSlice } from './endpoint-slice.ts';
import { decodeNode } from './node.ts';
import { decodeServiceCidr } from './service-cidr.ts';
import { decodeService } from './service.ts';
import { child, readText, report, rootField, type Field } from './json-field.ts';
import { quoted, type Decoded, type Problem } from '../problem.ts';
import type { ReadKind } from '../../model/kubernetes.ts';

/** How each kind is decoded, by the API versions that have the fields we read. */
const decoders: Readonly<
  Record<
    ReadKind,
    { readonly apiVersions: readonly string[]; readonly decode: (raw: unknown) => Decoded }
  >
> = {
  Service: { apiVersions: ['v1'], decode: decodeService },
  EndpointSlice: { apiVersions: ['discovery.k8s.io/v1'], decode: decodeEndpointSlice },
  Node: { apiVersions: ['v1'], decode: decodeNode },
  ServiceCIDR: {
    apiVersions: ['networking.k8s.io/v1', 'networking.k8s.io/v1beta1'],
    decode: decodeServiceCidr,
  },
};

/** The kinds that a Service proxy reads. */
export const readKinds = Object.keys(decoders) as readonly ReadKind[];

/** What `raw` describes, if it is a kind that a Service proxy reads. */
export function decodeObject(raw: unknown): Decoded {
  const problems: Problem[] = [];
  const root = rootField(raw, problems);
  if (problems.length > 0) return { kind: 'bad', id: undefined, problems };
  const kind = requiredText(child(root, 'kind'));
  const apiVersion = requiredText(child(root, 'apiVersion'));
  if (kind === undefined || apiVersion === undefined) {
    return { kind: 'bad', id: undefined, problems };
  }
  if (!isReadKind(kind)) {
    const meant = readKinds.find((known) => isMisspelt(kind, known));
    if (meant === undefined) {
      return { kind: 'ignored', id: '', why: `kind ${quoted(kind)} is not read` };
    }
    const decoded = decoders[meant].decode(raw);
    const id = decoded.kind === 'object' ? decoded.object.id : decoded.id;
    report(child(root, 'kind'), `${quoted(kind)} is not known; ${meant} may be meant`);
    return { kind: 'bad', id, as: meant, problems };
  }
  const { apiVersions, decode } = decoders[kind];
  if (apiVersions.includes(apiVersion)) return decode(raw);
  if (!apiVersions.some((known) => groupOf(known) === groupOf(apiVersion))) {
    return { kind: 'ignored', id: '', why: `${quoted(apiVersion)} is not read` };
  }
  report(child(root, 'apiVersion'), `${quoted(apiVersion)} is not ${apiVersions.join(' or ')}`);
  return { kind: 'bad', id: undefined, problems };
}

/** True for the kinds that a Service proxy reads. */
export function isReadKind(kind: string): kind is ReadKind {
  return Object.hasOwn(decoders, kind);
}

// Lower case, a letter too many, too few, wrong or with its neighbour's place. Real kinds are further apart.
function isMisspelt(kind: string, known: string): boolean {
  const [a, b] = [kind.toLowerCase(), known.toLowerCase()];
  let start = 0;
  while (start < b.length && a[start] === b[start]) start++;
  const [restA, restB] = [a.slice(start), b.slice(start)];
  const swapped = `${restB.slice(1, 2)}${restB.slice(0, 1)}${restB.slice(2)}`;
  return (
    restA === restB ||
    restA.slice(1) === restB ||
    restA === restB.slice(1) ||
    restA.slice(1) === restB.slice(1) ||
    restA === swapped
  );
}

function requiredText(field: Field): string | undefined {
  const { value } = field;
  if (value === undefined || value === '') report(field, 'is missing');
  return value === '' ? undefined : readText(field);
}

function groupOf(apiVersion: string): string {
  return apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '';
}
