// Decodes for which zones and nodes an endpoint is meant: untrusted JSON in, their names out. A bad hint
// leaves out just itself, never its endpoint, which can answer for everyone.
import { isDnsSubdomain, readLabelValue } from './metadata.ts';
import { child, objectEntries, readText, report, section, type Field } from './json-field.ts';
import { quoted } from '../problem.ts';
import type { EndpointState } from '../../model/kubernetes.ts';

// The API server allows 8 hints of a kind; more would only feed a hostile manifest's appetite.
const mostHints = 8;

// Most endpoints have no hints; one list for them all keeps a large cluster small.
const none: readonly string[] = [];

/** The hints of an endpoint. */
export function readHints(endpoint: Field): Pick<EndpointState, 'zoneHints' | 'nodeHints'> {
  const hints = section(endpoint, 'hints');
  return {
    zoneHints: readNames(child(hints, 'forZones'), readLabelValue),
    nodeHints: readNames(child(hints, 'forNodes'), readNodeName),
  };
}

/** The name of a node, or undefined where it is absent or none. */
export function readNodeName(field: Field): string | undefined {
  const name = readText(field);
  if (name === undefined || isDnsSubdomain(name)) return name;
  report(field, `${quoted(name)} is not a DNS subdomain`);
  return undefined;
}

function readNames(list: Field, read: (field: Field) => string | undefined): readonly string[] {
  const hints = objectEntries(list);
  if (hints.length === 0) return none;
  if (hints.length > mostHints) {
    report(list, `has ${hints.length} hints; only the first ${mostHints} count`);
  }
  return hints.slice(0, mostHints).flatMap((hint) => {
    const field = child(hint, 'name');
    if (field.value === undefined) report(field, 'is missing');
    const name = read(field);
    return name === undefined ? [] : [name];
  });
}
