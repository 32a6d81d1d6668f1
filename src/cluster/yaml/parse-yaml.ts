// Parses YAML 1.2 with the core schema and merge keys: text in, the values of its documents out, or the
// first thing that is wrong with it.
import {
  constructFromEvents,
  CORE_SCHEMA,
  floatCoreTag,
  intCoreTag,
  mergeTag,
  NOT_RESOLVED,
  parseEvents,
  YAMLException,
  type Event,
} from 'js-yaml';

/** Text that is no YAML; the line is 1-based. */
export type YamlProblem = { readonly line: number; readonly message: string };

/** The values of the documents, and the events that they were made of. */
export type ParsedYaml = {
  readonly values: readonly unknown[];
  readonly events: readonly Event[];
};

/** Numbers without those that begin with 0: YAML 1.1, which the API server's clients read, takes them for octal. */
function withoutOctal(tag: typeof intCoreTag): typeof intCoreTag {
  const resolve: typeof tag.resolve = (source, ...more) =>
    /^[-+]?0\d/.test(source) ? NOT_RESOLVED : tag.resolve(source, ...more);
  return { ...tag, resolve };
}

// Such a number stays a text, which no field of a number takes.
const schema = CORE_SCHEMA.withTags(mergeTag, withoutOctal(intCoreTag), withoutOctal(floatCoreTag));

// An alias costs no memory, but whoever reads the value reads it again for each. More than people write.
const maxAliases = 1000;
// In all of the text. Merges copy keys, so that a text may stand for about twice its length.
const fewestMergeKeys = 10_000;

/**
 * Parses all documents of the text. A key that is in a map twice is an error, unless `lastKeyCounts`.
 * An alias gives the very value of its anchor: values may be shared, or contain themselves.
 */
export function parseYaml(
  source: string,
  { lastKeyCounts = false }: { readonly lastKeyCounts?: boolean } = {},
): ParsedYaml | YamlProblem {
  try {
    const events = parseEvents(source, {});
    const maxTotalMergeKeys = Math.max(fewestMergeKeys, source.length);
    const limits = { maxAliases, maxTotalMergeKeys };
    return {
      values: constructFromEvents(events, { source, schema, json: lastKeyCounts, ...limits }),
      events,
    };
  } catch (error) {
    // The library asks its callers to expect any error.
    return error instanceof YAMLException
      ? { line: (error.mark?.line ?? 0) + 1, message: error.reason }
      : { line: 1, message: (error as Error).message };
  }
}
