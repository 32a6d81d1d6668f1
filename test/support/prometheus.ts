// Reads Prometheus' text format as a scraper does, and finds what promtool's `check metrics` would.

/** One metric with all its samples. */
export type MetricFamily = {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  /** As they stand: `name{label="value"}`, and the number. */
  readonly samples: ReadonlyMap<string, number>;
};

const sampleLine = /^([a-zA-Z_:][\w:]*)(\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)*\})? (\S+)$/;

/** The metrics of a scrape, by name; throws where a scraper would give up. */
export function parseMetrics(text: string): ReadonlyMap<string, MetricFamily> {
  const found = new Map<string, MetricFamily & { samples: Map<string, number> }>();
  let family: (MetricFamily & { samples: Map<string, number> }) | undefined;
  const helps = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, word, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) ?(.*)$/.exec(line) ?? [];
    if (line === '') continue;
    if (word === 'HELP') helps.set(name, rest);
    else if (word === 'TYPE') {
      if (found.has(name)) throw new Error(`twice: ${name}`);
      family = { name, type: rest, help: helps.get(name) ?? '', samples: new Map() };
      found.set(name, family);
    } else addSample(family, line);
  }
  return found;
}

function addSample(
  family: { name: string; type: string; samples: Map<string, number> } | undefined,
  line: string,
): void {
  const [, name = '', labels = '', value] = sampleLine.exec(line) ?? [];
  const suffixes = family?.type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
  const isOfFamily = suffixes.some((suffix) => name === `${family?.name}${suffix}`);
  if (family === undefined || !isOfFamily) throw new Error(`no sample of its metric: ${line}`);
  const id = name + labels;
  if (family.samples.has(id)) throw new Error(`twice: ${id}`);
  if (value === undefined || Number.isNaN(Number(value.replace('+Inf', 'Infinity')))) {
    throw new Error(`no number: ${line}`);
  }
  family.samples.set(id, Number(value));
}

/** What promtool would say of a metric; nothing where all is well. */
export function lintMetric({ name, type, help, samples }: MetricFamily): readonly string[] {
  const faults: string[] = [];
  const check = (isWrong: boolean, what: string): void => {
    if (isWrong) faults.push(`${name}: ${what}`);
  };
  check(help === '', 'no help text');
  check(type === 'counter' && !name.endsWith('_total'), 'counters end in _total');
  check(type !== 'counter' && name.endsWith('_total'), 'only counters end in _total');
  check(/_(count|sum|bucket)$/.test(name), 'the suffix is reserved');
  check(type !== 'gauge' && name.endsWith('_info'), 'only gauges end in _info');
  check(!/^[a-z_:][a-z0-9_:]*$/.test(name), 'not in snake case');
  check(name.includes(':'), 'colons are for recording rules');
  check(/_(gauge|counter|histogram|summary)(_|$)/.test(name), 'the type is in the name');
  check(/_(ms|us|ns|s|min|kb|mb|gb)(_|$)/.test(name), 'an abbreviated unit');
  const scaled = /_(milli|micro|nano|kilo|mega|giga)?(minutes|hours|days|bits|celsius)(_|$)/;
  check(/_(milli|micro|nano|kilo|mega|giga)\w+(_|$)/.test(name), 'not a base unit');
  check(scaled.test(name), 'not a base unit');
  const labels = [...samples.keys()].flatMap((id) => [...id.matchAll(/[{,](\w+)=/g)]);
  const names = labels.map(([, label = '']) => label);
  check(
    names.some((label) => !/^[a-z_][a-z0-9_]*$/.test(label)),
    'a label not in snake case',
  );
  check(type !== 'histogram' && names.includes('le'), 'le is for histograms');
  return faults;
}
