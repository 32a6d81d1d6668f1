// Values that are names with something to each: feature gates and per-file verbosity. The text of a flag
// or the JSON of a field in, a value or undefined out.

/** Which features of Kubernetes are on or off. */
export type FeatureGates = Readonly<Record<string, boolean>>;

/** The verbosity of source files whose name matches; first match counts. */
export type Vmodule = readonly { readonly filePattern: string; readonly verbosity: number }[];

const gateName = /^[A-Za-z][A-Za-z0-9]{0,99}$/;

/** `Name=true,Other=false`. */
export function parseFeatureGates(text: string): FeatureGates | undefined {
  const pairs = pairsOf(text).map(([name, value]) => [name, truths.get(value.toLowerCase())]);
  return readFeatureGates(Object.fromEntries(pairs));
}

// As Go's strconv.ParseBool spells them, whatever the case.
const truths: ReadonlyMap<string, boolean> = new Map([
  ...['1', 't', 'true'].map((text) => [text, true] as const),
  ...['0', 'f', 'false'].map((text) => [text, false] as const),
]);

/** An object of names with true or false. */
export function readFeatureGates(json: unknown): FeatureGates | undefined {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return undefined;
  const entries = Object.entries(json);
  const isFit = entries.every(([name, value]) => gateName.test(name) && typeof value === 'boolean');
  return isFit ? (Object.fromEntries(entries) as FeatureGates) : undefined;
}

/** `proxier=4,con*=2`. */
export function parseVmodule(text: string): Vmodule | undefined {
  return readVmodule(
    pairsOf(text).map(([filePattern, level]) => ({
      filePattern,
      verbosity: /^\d{1,9}$/.test(level) ? Number(level) : undefined,
    })),
  );
}

/** A list of filePattern with verbosity. */
export function readVmodule(json: unknown): Vmodule | undefined {
  if (!Array.isArray(json)) return undefined;
  const entries = json.map((entry: unknown) => {
    const { filePattern, verbosity } = (entry ?? {}) as Record<string, unknown>;
    if (typeof filePattern !== 'string' || !/^[^\s,=]{1,200}$/.test(filePattern)) return undefined;
    if (typeof verbosity !== 'number' || !Number.isSafeInteger(verbosity)) return undefined;
    return verbosity < 0 ? undefined : { filePattern, verbosity };
  });
  return entries.every((entry) => entry !== undefined) ? entries : undefined;
}

function pairsOf(text: string): readonly (readonly [name: string, value: string])[] {
  return text
    .split(',')
    .filter((pair) => pair.trim() !== '')
    .map((pair) => {
      const [name = '', ...rest] = pair.split('=');
      return [name.trim(), rest.join('=').trim()];
    });
}
