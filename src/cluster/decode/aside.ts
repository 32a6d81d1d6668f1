// Decodes what a Service proxy passes over, but people ask about: the pods behind endpoints, and Services
// that have no address. Untrusted JSON in; whatever cannot be read is no aside.
import { readIp } from './address.ts';
import { readNamespacedName, readServiceName } from './metadata.ts';
import { decodeService } from './service.ts';
import { child, entries, objectEntries, readText, rootField, section } from './json-field.ts';
import type { Field } from './json-field.ts';
import type { Problem } from '../problem.ts';
import type { Ip } from '../../model/ip.ts';

/** One thing that no rule is made of. */
export type Aside =
  | {
      readonly kind: 'pod';
      /** `namespace/name`. */
      readonly pod: string;
      readonly ip: Ip;
      /** '' where it is not known. */
      readonly nodeName: string;
    }
  | {
      readonly kind: 'service';
      /** `namespace/name`. */
      readonly service: string;
      readonly why: 'headless' | 'external-name' | 'other-proxy' | 'no-address';
      /** The field that says so, and what stands there. */
      readonly field: string;
      readonly value: string;
    }
  /** An endpoint of a headless Service. */
  | { readonly kind: 'headless-endpoint'; readonly service: string; readonly ip: Ip };

/** All asides of one object; none of most kinds. */
export function decodeAsides(raw: unknown): readonly Aside[] {
  const root = rootField(raw, []);
  switch (child(root, 'kind').value) {
    case 'Service':
      return serviceAsides(raw, root);
    case 'EndpointSlice':
      return sliceAsides(root);
    case 'Pod':
      return podAsides(root);
    default:
      return [];
  }
}

const proxyNameLabel = 'service.kubernetes.io/service-proxy-name';
const serviceNameLabel = 'kubernetes.io/service-name';
const headlessLabel = 'service.kubernetes.io/headless';

function serviceAsides(raw: unknown, root: Field): readonly Aside[] {
  const identity = readServiceName(section(root, 'metadata'));
  if (identity === undefined) return [];
  const service = `${identity.namespace}/${identity.name}`;
  const spec = section(root, 'spec');
  const aside = (why: ServiceWhy, field: string, value = ''): readonly Aside[] => [
    { kind: 'service', service, why, field, value },
  ];
  if (decodeService(raw).kind === 'ignored') {
    if (child(spec, 'type').value === 'ExternalName') {
      return aside('external-name', 'spec.externalName', textIn(child(spec, 'externalName')));
    }
    if (child(spec, 'clusterIP').value === 'None')
      return aside('headless', 'spec.clusterIP', 'None');
    return aside('other-proxy', `metadata.labels["${proxyNameLabel}"]`);
  }
  const clusterIp = textIn(child(spec, 'clusterIP'));
  return clusterIp === '' ? aside('no-address', 'spec.clusterIP') : [];
}

type ServiceWhy = Extract<Aside, { kind: 'service' }>['why'];

function sliceAsides(root: Field): readonly Aside[] {
  const metadata = section(root, 'metadata');
  const identity = readNamespacedName(metadata);
  if (identity === undefined) return [];
  const labels = section(metadata, 'labels');
  const isHeadless = child(labels, headlessLabel).value !== undefined;
  const service = `${identity.namespace}/${textIn(child(labels, serviceNameLabel))}`;
  return objectEntries(child(root, 'endpoints')).flatMap((endpoint) => {
    const ip = ipIn(entries(child(endpoint, 'addresses'))[0]);
    if (ip === undefined) return [];
    const headless: readonly Aside[] = isHeadless
      ? [{ kind: 'headless-endpoint', service, ip }]
      : [];
    return [...podBehind(endpoint, ip, identity.namespace), ...headless];
  });
}

function podBehind(endpoint: Field, ip: Ip, namespace: string): readonly Aside[] {
  const target = section(endpoint, 'targetRef');
  const name = textIn(child(target, 'name'));
  if (child(target, 'kind').value !== 'Pod' || name === '') return [];
  const home = textIn(child(target, 'namespace')) || namespace;
  return [
    { kind: 'pod', pod: `${home}/${name}`, ip, nodeName: textIn(child(endpoint, 'nodeName')) },
  ];
}

function podAsides(root: Field): readonly Aside[] {
  const identity = readNamespacedName(section(root, 'metadata'));
  if (identity === undefined) return [];
  const pod = `${identity.namespace}/${identity.name}`;
  const nodeName = textIn(child(section(root, 'spec'), 'nodeName'));
  const status = section(root, 'status');
  const listed = objectEntries(child(status, 'podIPs')).map((entry) => child(entry, 'ip'));
  const ips = [child(status, 'podIP'), ...listed].flatMap((field) => ipIn(field) ?? []);
  return [...new Set(ips)].map((ip) => ({ kind: 'pod', pod, ip, nodeName }));
}

function textIn(field: Field): string {
  return readText(field) ?? '';
}

function ipIn(field: Field | undefined): Ip | undefined {
  const problems: Problem[] = [];
  return field && readIp({ ...field, problems });
}
