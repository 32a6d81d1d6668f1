// Parses JSON without throwing.

/** What the text stands for, or undefined, which no JSON stands for, where it is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
