// Parses YAML 1.2 with the core schema and merge keys: text in, the values of its documents out, or the
// first thing that is wrong. The parser gives events with their places in the text; values are made of
// them here, since nothing may stand for more than memory holds.
import { parseEvents, YAMLException, type Event } from 'js-yaml';
import { constructDocuments, type ConstructOptions } from './construct.ts';
import { lineAt } from './line-at.ts';

/** Text that is no YAML; the line is 1-based. */
export type YamlProblem = { readonly line: number; readonly message: string };

/** The values of the documents, and the events that they were made of. */
export type ParsedYaml = {
  readonly values: readonly unknown[];
  readonly events: readonly Event[];
};

const maxDepth = 1000;

/** What the documents of the text stand for. */
export function parseYaml(text: string, options: ConstructOptions = {}): ParsedYaml | YamlProblem {
  try {
    const events = yamlEvents(text);
    return { values: constructDocuments(text, events, options), events };
  } catch (error) {
    if (error instanceof YAMLException) {
      const message = error.reason.startsWith('nesting exceeded') ? tooDeep : error.reason;
      return { line: lineAt(text, error.mark?.position ?? 0), message };
    }
    // Deeper than the stack.
    if (error instanceof RangeError) return { line: 1, message: tooDeep };
    throw error;
  }
}

/** The events of text; throws YAMLException where it is no YAML, and RangeError. */
export function yamlEvents(text: string): readonly Event[] {
  return parseEvents(text, { maxDepth });
}

const tooDeep = 'nested too deeply';
