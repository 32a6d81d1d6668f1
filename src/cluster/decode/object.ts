// Decodes an object of any kind by its kind and apiVersion. Kinds that a Service proxy does not read are
// ignored, also those of other groups that share a name (Knative has a Service too).
import { decodeEndpointSlice } from './endpoint-slice.ts';
import { decodeNode } from './node.ts';
import { decodeServiceCidr } from './service-cidr.ts';
import { decodeService } from './service.ts';
import { child, readText, report, rootField, type Field } from './json-field.ts';
import { quoted, type Decoded, type Problem } from '../problem.ts';
import type { ClusterObject } from '../../model/kubernetes.ts';

/** How each kind is decoded, by the API versions that have the fields we read. */
const decoders: Readonly<
  Record<
    ClusterObject['kind'],
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
  if (!isReadKind(kind))
    return { kind: 'ignored', id: '', why: `kind ${quoted(kind)} is not read` };
  const { apiVersions, decode } = decoders[kind];
  if (apiVersions.includes(apiVersion)) return decode(raw);
  if (!apiVersions.some((known) => groupOf(known) === groupOf(apiVersion))) {
    return { kind: 'ignored', id: '', why: `${quoted(apiVersion)} is not read` };
  }
  report(child(root, 'apiVersion'), `${quoted(apiVersion)} is not ${apiVersions.join(' or ')}`);
  return { kind: 'bad', id: undefined, problems };
}

/** True for the kinds that a Service proxy reads. */
export function isReadKind(kind: string): kind is ClusterObject['kind'] {
  return Object.hasOwn(decoders, kind);
}

function requiredText(field: Field): string | undefined {
  const { value } = field;
  if (value === undefined || value === '') report(field, 'is missing');
  return value === '' ? undefined : readText(field);
}

function groupOf(apiVersion: string): string {
  return apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '';
}
