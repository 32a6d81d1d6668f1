// The configuration as it is in force: the values of all fields in, a KubeProxyConfiguration out, with
// every default filled in.
import type { Config, KubeProxyConfiguration } from '../model/config.ts';
import { fields, type FieldValues } from './fields.ts';
import { valueKinds } from './values/value-kinds.ts';

/** What apiVersion and kind a file must have. */
export const typeMeta = {
  apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
  kind: 'KubeProxyConfiguration',
} as const;

/** The v1alpha1 object of a Config: what /configz shows. */
export function resolvedDocument({ document }: Config): KubeProxyConfiguration {
  return document;
}

/** The v1alpha1 object that has these values. */
export function documentOf(values: FieldValues): KubeProxyConfiguration {
  const document: Record<string, unknown> = { ...typeMeta };
  for (const { path, kind } of fields) {
    const toJson: (value: never) => unknown = valueKinds[kind].toJson;
    put(document, path.split('.'), toJson(values[path] as never));
  }
  return document;
}

function put(into: Record<string, unknown>, [key = '', ...rest]: string[], value: unknown): void {
  if (rest.length === 0) into[key] = value;
  else put((into[key] ??= {}) as Record<string, unknown>, rest, value);
}
