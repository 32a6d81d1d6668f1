// Label and field selectors, as far as a Service proxy uses them.
import type { RawObject } from './kinds.ts';

export type Selector = (object: RawObject) => boolean;

/** The objects that a request asks for; throws on a selector that the stand-in does not know. */
export function selectorOf(query: URLSearchParams): Selector {
  const parts = [
    ...termsOf(query.get('labelSelector')).map(labelTerm),
    ...termsOf(query.get('fieldSelector')).map(fieldTerm),
  ];
  return (object) => parts.every((matches) => matches(object));
}

function termsOf(selector: string | null): readonly string[] {
  return selector === null || selector === '' ? [] : selector.split(',');
}

function labelTerm(term: string): Selector {
  const key = /^!([\w./-]+)$/.exec(term)?.[1];
  if (key === undefined) throw new Error(`label selector ${term}`);
  return ({ metadata }) => !Object.hasOwn(metadata.labels ?? {}, key);
}

function fieldTerm(term: string): Selector {
  const [, field, operator, value] = /^([\w.]+)(!=|==?)(.*)$/.exec(term) ?? [];
  const known = ['metadata.name', 'metadata.namespace', 'spec.clusterIP', 'spec.type'];
  if (field === undefined || !known.includes(field)) throw new Error(`field selector ${term}`);
  const [top = '', inner = ''] = field.split('.');
  return (object) => {
    const section = object[top] as Readonly<Record<string, unknown>> | undefined;
    const is = (section?.[inner] ?? '') === value;
    return operator === '!=' ? !is : is;
  };
}
