// JSON schemas as they are made here: every object is closed, so that a field nobody knows is a fault.
import { Ajv, type ErrorObject } from 'ajv';

/** A JSON schema, or `true` for anything. */
export type Schema = true | { readonly [keyword: string]: unknown };

/** What is wrong with a value: a line each, with the path of the field. */
export type Faults = (value: unknown) => readonly string[];

/** The definitions that `refTo` leads to, by name. */
export type Definitions = Readonly<Record<string, Schema>>;

/** An object of just these fields. */
export function closed(
  properties: Readonly<Record<string, Schema>>,
  required: readonly string[] = [],
): Schema {
  return { type: 'object', properties, required, additionalProperties: false };
}

/** Whatever the definition of this name says. */
export function refTo(name: string): Schema {
  return { $ref: `#/$defs/${name}` };
}

/** The check of a schema that may refer to the definitions. */
export function faultsBy(schema: Schema, definitions: Definitions = {}): Faults {
  const ajv = new Ajv({ allErrors: true, allowUnionTypes: true });
  const check = ajv.compile({ $defs: definitions, allOf: [schema] });
  return (value) => (check(value) ? [] : errorTexts(check.errors));
}

/** Errors of ajv as lines. */
export function errorTexts(errors: readonly ErrorObject[] | null | undefined): readonly string[] {
  return (errors ?? []).map(({ instancePath, keyword, params }) => {
    const what = Object.values(params as Readonly<Record<string, unknown>>).join(' ');
    return `${instancePath} ${keyword} ${what}`;
  });
}
