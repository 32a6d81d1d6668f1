// The API of 1.36 as JSON schemas. In: the classes of the client library, which have the fields of the OpenAPI
// document with their types, but not which of them must be there. Out: a schema for each.
import * as library from '@kubernetes/client-node';
import { closed, refTo, type Definitions, type Schema } from './json-schema.ts';

type Attribute = { readonly baseName: string; readonly type: string; readonly format: string };

type ApiType = { readonly getAttributeTypeMap?: () => readonly Attribute[] };

/** The schemas of all types, by the name of the class: `V1DaemonSet`. */
export function attributeSchemas(): Definitions {
  const types = Object.entries(library as unknown as Readonly<Record<string, ApiType>>);
  const schemas = types.flatMap(([name, type]) => {
    const attributes = type.getAttributeTypeMap?.();
    if (attributes === undefined) return [];
    const fields = attributes.map((attribute) => [attribute.baseName, schemaOf(attribute)]);
    return [
      [name, closed(Object.fromEntries(fields) as Readonly<Record<string, Schema>>)] as const,
    ];
  });
  return Object.fromEntries(schemas);
}

function schemaOf({ type, format = '' }: Pick<Attribute, 'type'> & { format?: string }): Schema {
  const { item, entry } =
    /^(?:Array<(?<item>.+)>|\{ \[key: string\]: (?<entry>.+); \})$/.exec(type)?.groups ?? {};
  if (item !== undefined) return { type: 'array', items: schemaOf({ type: item }) };
  if (entry !== undefined) {
    return { type: 'object', additionalProperties: schemaOf({ type: entry }) };
  }
  if (type === 'any') return true;
  if (type === 'Date' || type === 'V1MicroTime') return { type: 'string' };
  if (type === 'IntOrString') return { type: ['string', 'number'] };
  if (type === 'number') return { type: format.startsWith('int') ? 'integer' : 'number' };
  if (type === 'string' || type === 'boolean') return { type };
  return refTo(type);
}
