// The text of a configuration file in, the value of every field out, or all that is wrong with it: each
// line names the file, the line and the field.
import { described } from '../../cluster/decode/json-field.ts';
import { fieldName, printable, type Path } from '../../cluster/problem.ts';
import type { FieldValues } from '../fields.ts';
import type { Origin } from '../origin.ts';
import { typeMeta } from '../resolved-document.ts';
import { parseDocument, type ParsedFile } from './parse-document.ts';
import { readFields, type Remark } from './read-fields.ts';

/** What a file says. */
export type ReadText = {
  /** Not to be used where there are faults. */
  readonly values: FieldValues;
  readonly faults: readonly string[];
  readonly warnings: readonly string[];
  /** What is done, and may surprise who comes from kube-proxy. */
  readonly notes: readonly string[];
  /** Where each field stands. */
  readonly origin: Origin;
};

/** Reads a file that says it is a KubeProxyConfiguration; otherwise only the faults come back. */
export function readText(
  file: string,
  text: string,
): ReadText | { readonly faults: readonly string[] } {
  const name = printable(file);
  const parsed = parseDocument(text);
  if ('message' in parsed)
    return { faults: [`${name}:${parsed.line}: ${printable(parsed.message)}`] };
  const placeOf = (path: Path): string => {
    const field = fieldName(path);
    return `${name}:${parsed.lineOf(path)}:${field === '' ? '' : ` ${field}:`}`;
  };
  const lines = (remarks: readonly Remark[]): readonly string[] =>
    remarks.map(({ path, message }) => `${placeOf(path)} ${printable(message)}`);
  const root = parsed.value ?? {};
  const typeFaults = faultsOfType(root);
  if (typeFaults.length > 0) return { faults: lines(typeFaults) };
  const { values, faults, warnings, notes } = readFields(root);
  return {
    values,
    faults: lines(faults),
    warnings: [...structureWarnings(name, parsed), ...lines(warnings)],
    notes: lines(notes),
    origin: {
      placeOf: (path) => placeOf(path.split('.')).slice(0, -1),
      nameOf: (path) => path,
    },
  };
}

// Another kind of file is not read further: all of its fields would be wrong.
function faultsOfType(root: unknown): readonly Remark[] {
  if (typeof root !== 'object' || root === null || Array.isArray(root)) {
    return [{ path: [], message: `${described(root)} is not a ${typeMeta.kind}` }];
  }
  return (['apiVersion', 'kind'] as const).flatMap((key) => {
    const value: unknown = Object.hasOwn(root, key) ? (root as Record<string, unknown>)[key] : null;
    if (value === typeMeta[key]) return [];
    const isMissing = value === null || value === undefined || value === '';
    const what = isMissing ? 'is missing' : `${described(value)} is not known`;
    return [{ path: [key], message: `${what}: it must be ${typeMeta[key]}` }];
  });
}

function structureWarnings(name: string, parsed: ParsedFile): readonly string[] {
  const { duplicates, nextDocumentLine } = parsed;
  const twice = duplicates.map(
    ({ field, line }) => `${name}:${line}: ${field}: stands more than once; the last one counts`,
  );
  if (nextDocumentLine === undefined) return twice;
  return [...twice, `${name}:${nextDocumentLine}: only the first document of the file counts`];
}
