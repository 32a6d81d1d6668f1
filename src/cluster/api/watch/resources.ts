// The four resources that a Service proxy follows, selected as kube-proxy selects them, and the requests
// for them. Pure.
import type { ReadKind } from '../../../model/kubernetes.ts';

/** One collection of the API. */
export type Resource = {
  readonly kind: ReadKind;
  readonly apiVersion: string;
  readonly path: string;
  readonly selectors: Readonly<Record<string, string>>;
  /** The proxy works without it: a server without the API, or without the right to it, is no fault. */
  readonly mayBeAbsent: boolean;
};

/** What the proxy of this node follows. */
export function resourcesOf(nodeName: string): readonly Resource[] {
  return [
    {
      kind: 'Service',
      apiVersion: 'v1',
      path: '/api/v1/services',
      selectors: {
        labelSelector: '!service.kubernetes.io/service-proxy-name',
        fieldSelector: 'spec.clusterIP!=None',
      },
      mayBeAbsent: false,
    },
    {
      kind: 'EndpointSlice',
      apiVersion: 'discovery.k8s.io/v1',
      path: '/apis/discovery.k8s.io/v1/endpointslices',
      selectors: { labelSelector: '!service.kubernetes.io/headless' },
      mayBeAbsent: false,
    },
    {
      kind: 'Node',
      apiVersion: 'v1',
      path: '/api/v1/nodes',
      selectors: { fieldSelector: `metadata.name=${nodeName}` },
      mayBeAbsent: false,
    },
    {
      kind: 'ServiceCIDR',
      apiVersion: 'networking.k8s.io/v1',
      path: '/apis/networking.k8s.io/v1/servicecidrs',
      selectors: {},
      mayBeAbsent: true,
    },
  ];
}

const objectsAPage = 500;

/** One page of the list; `token` is what the page before said to continue with. */
export function listPath(
  { path, selectors }: Resource,
  token: string,
  limit = objectsAPage,
): string {
  const query = { ...selectors, limit: String(limit) };
  return withQuery(path, token === '' ? query : { ...query, continue: token });
}

/** What happens after `version`. */
export function watchPath(
  { path, selectors }: Resource,
  { version, seconds }: { readonly version: string; readonly seconds: number },
): string {
  return withQuery(path, {
    ...selectors,
    watch: 'true',
    allowWatchBookmarks: 'true',
    resourceVersion: version,
    timeoutSeconds: String(seconds),
  });
}

/** What is there, and then what happens, in one stream. */
export function watchListPath({ path, selectors }: Resource, seconds: number): string {
  return withQuery(path, {
    ...selectors,
    watch: 'true',
    sendInitialEvents: 'true',
    allowWatchBookmarks: 'true',
    resourceVersionMatch: 'NotOlderThan',
    timeoutSeconds: String(seconds),
  });
}

function withQuery(path: string, query: Readonly<Record<string, string>>): string {
  return `${path}?${new URLSearchParams(query).toString()}`;
}
