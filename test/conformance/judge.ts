// Does what a probe met agree with what its case expects? In: the expectation and the tries. Out: each
// thing that was expected and not met, in words; none is agreement. Pure.
import { isDeepStrictEqual } from 'node:util';
import type { Try } from '../../src/lab/agent/protocol.ts';
import type { Expectation, Probe } from './case.ts';

// A fair spread then misses one of its backends less than once in a million probes.
const allowedMisses = 1e-6;

// Chi-square at 0.1 %, by degrees of freedom from 1 on.
const criticalValues = [10.828, 13.816, 16.266, 18.467, 20.515, 22.458, 24.322, 26.124, 27.877];

/** How often to try, so that chance alone does not hide a backend: as often as the case says, or more. */
export function triesFor({ tries }: Probe, { backends }: Expectation): number {
  if (!Array.isArray(backends) || backends.length < 2) return tries;
  const count = backends.length;
  const needed = Math.log(allowedMisses / count) / Math.log(1 - 1 / count);
  return Math.max(tries, Math.ceil(needed));
}

/** What was expected and not met. */
export function judge(expected: Expectation, tries: readonly Try[]): readonly string[] {
  return [
    ...judgeResult(expected, tries),
    ...judgeBackends(expected, tries),
    ...judgeSources(expected, tries),
    ...judgePages(expected, tries),
  ];
}

/** The expectation that is not met where the spread over the names that answered is not even at 0.1 %. */
export function judgeSpread(tries: readonly Try[]): readonly string[] {
  const counts = [...Map.groupBy(namesOf(tries), (name) => name).values()].map(
    ({ length }) => length,
  );
  const critical = criticalValues[counts.length - 2];
  if (critical === undefined) return [`a spread over more than ${counts.length} backends`];
  const even = tries.length / counts.length;
  const chiSquare = counts.reduce((sum, count) => sum + (count - even) ** 2 / even, 0);
  if (chiSquare < critical) return [];
  return [`an even spread (chi-square ${chiSquare.toFixed(1)} is not below ${critical})`];
}

/** What the tries met, in one line: counts by result and name, and the sources. */
export function describeTries(tries: readonly Try[]): string {
  const counted = Map.groupBy(tries.map(label).toSorted(compareText), (text) => text);
  const counts = [...counted].map(([text, { length }]) => `${length}x ${text}`);
  const sources = distinct(sourcesOf(tries));
  return [counts.join(', '), ...(sources.length > 0 ? [`from ${sources.join(', ')}`] : [])].join(
    '; ',
  );
}

function judgeResult({ result }: Expectation, tries: readonly Try[]): readonly string[] {
  const others = tries.filter((met) => (met.result === 'page' ? 'ok' : met.result) !== result);
  return others.length === 0 ? [] : [`${result} of all ${tries.length} tries`];
}

function judgeBackends({ backends }: Expectation, tries: readonly Try[]): readonly string[] {
  if (backends === undefined) return [];
  const seen = distinct(namesOf(tries));
  if (backends === 'exactly one') return seen.length === 1 ? [] : ['exactly one backend'];
  return isDeepStrictEqual(seen, distinct(backends)) ? [] : [`backends ${backends.join(', ')}`];
}

function judgeSources({ sources }: Expectation, tries: readonly Try[]): readonly string[] {
  if (sources === undefined) return [];
  const isSame = isDeepStrictEqual(distinct(sourcesOf(tries)), distinct(sources));
  return isSame ? [] : [`sources ${sources.join(', ')}`];
}

function judgePages({ status, body }: Expectation, tries: readonly Try[]): readonly string[] {
  const pages = tries.filter((met) => met.result === 'page');
  const hasStatus = status === undefined || pages.every((page) => page.status === status);
  const hasBody = body === undefined || pages.every((page) => isDeepStrictEqual(page.body, body));
  return [
    ...(hasStatus ? [] : [`status ${status}`]),
    ...(hasBody ? [] : [`body ${JSON.stringify(body)}`]),
  ];
}

function label(met: Try): string {
  if (met.result === 'ok') return met.name;
  return met.result === 'page' ? `${met.status} ${JSON.stringify(met.body)}` : met.result;
}

function namesOf(tries: readonly Try[]): readonly string[] {
  return tries.flatMap((met) => (met.result === 'ok' ? [met.name] : []));
}

function sourcesOf(tries: readonly Try[]): readonly string[] {
  return tries.flatMap((met) => (met.result === 'ok' ? [met.source] : []));
}

function distinct(values: readonly string[]): readonly string[] {
  return [...new Set(values)].toSorted(compareText);
}

function compareText(left: string, right: string): number {
  return left < right ? -1 : Number(left > right);
}
