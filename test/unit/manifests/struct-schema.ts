// The API of 1.31 to 1.34 as JSON schemas. In: the jsii assembly of a cdk8s-plus package, which has a struct
// for every type of the OpenAPI document of its minor version, with the API's own field names beside. Out:
// a schema for each struct.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { closed, refTo, type Definitions, type Schema } from './json-schema.ts';

const packages = resolve(import.meta.dirname, '../../../node_modules');

type TypeReference =
  | { readonly primitive: string }
  | { readonly fqn: string }
  | { readonly union: object }
  | {
      readonly collection: {
        readonly kind: 'array' | 'map';
        readonly elementtype: TypeReference;
      };
    };

type Property = {
  readonly optional?: boolean;
  readonly type: TypeReference;
  /** `schema` is as `io.k8s.api.core.v1.ServiceSpec#clusterIP`. */
  readonly docs: { readonly custom: { readonly schema: string } };
};

type Struct = { readonly kind: string; readonly name: string; readonly properties?: Property[] };

type Assembly = { readonly types: Readonly<Record<string, Struct>> };

/** The schemas of a minor version, by the name of the struct; an object’s own is `Kube<Kind>Props`. */
export function structSchemas(minor: number): Definitions {
  const name = `cdk8s-plus-${minor}`;
  const text = readFileSync(join(packages, name, '.jsii'), 'utf8');
  const { types } = JSON.parse(text) as Assembly;
  const ours = Object.entries(types).filter(([fqn]) => fqn.startsWith(`${name}.k8s.`));
  return Object.fromEntries(ours.map(([, struct]) => [struct.name, schemaOfStruct(struct)]));
}

function schemaOfStruct({ kind, properties = [] }: Struct): Schema {
  // IntOrString and Quantity are classes; the one enumeration has nothing to do with manifests.
  if (kind !== 'interface') return { type: ['string', 'number'] };
  const fields = properties.map((property) => ({
    ...property,
    // The struct's own name has lost the case of acronyms.
    name: property.docs.custom.schema.split('#')[1] ?? '',
  }));
  return closed(
    Object.fromEntries(fields.map(({ name, type }) => [name, schemaOfType(type)])),
    fields.filter(({ optional }) => optional !== true).map(({ name }) => name),
  );
}

function schemaOfType(type: TypeReference): Schema {
  if ('fqn' in type) return refTo(type.fqn.split('.').at(-1) ?? '');
  if ('union' in type) return true;
  if ('collection' in type) {
    const { kind, elementtype } = type.collection;
    const element = schemaOfType(elementtype);
    return kind === 'array'
      ? { type: 'array', items: element }
      : { type: 'object', additionalProperties: element };
  }
  const { primitive } = type;
  if (primitive === 'any') return true;
  return { type: primitive === 'date' ? 'string' : primitive };
}
