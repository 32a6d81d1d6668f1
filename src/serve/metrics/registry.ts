// Makes metrics of prom-client in few words; each is of one registry, and of no global one.
import type * as Prom from 'prom-client';

/** What we use of the library. */
export type PromLibrary = Pick<typeof Prom, 'Registry' | 'Counter' | 'Gauge' | 'Histogram'>;

/**
 * Loads it, where metrics are served. Its main file would load all of it, also what sends metrics
 * through HTTPS and what collects them from other processes: 20 MB of memory in place of 4.
 */
export async function loadPromLibrary(): Promise<PromLibrary> {
  const [{ default: Registry }, { default: Counter }, { default: Gauge }, { default: Histogram }] =
    await Promise.all([
      import('prom-client/lib/registry.js'),
      import('prom-client/lib/counter.js'),
      import('prom-client/lib/gauge.js'),
      import('prom-client/lib/histogram.js'),
    ]);
  return { Registry, Counter, Gauge, Histogram };
}

/** Defines metrics: a name, what it is, and the names of its labels. */
export type Definer = {
  readonly counter: <L extends string = never>(
    name: string,
    help: string,
    labels?: readonly L[],
  ) => Prom.Counter<L>;
  readonly gauge: <L extends string = never>(
    name: string,
    help: string,
    labels?: readonly L[],
  ) => Prom.Gauge<L>;
  /** A gauge or counter without labels whose value is asked for at each scrape. */
  readonly reading: (
    type: 'gauge' | 'counter',
    metric: { readonly name: string; readonly help: string; readonly value: () => number },
  ) => void;
  readonly histogram: <L extends string = never>(
    name: string,
    help: string,
    options: { readonly labels?: readonly L[]; readonly buckets: readonly number[] },
  ) => Prom.Histogram<L>;
};

/** The Definer for a registry. */
export function definerFor(
  { Counter, Gauge, Histogram }: PromLibrary,
  registry: Prom.Registry,
): Definer {
  const common = { registers: [registry] };
  return {
    counter: (name, help, labels = []) =>
      new Counter({ name, help, labelNames: [...labels], ...common }),
    gauge: (name, help, labels = []) =>
      new Gauge({ name, help, labelNames: [...labels], ...common }),
    reading(type, { name, help, value }) {
      const Metric = type === 'gauge' ? Gauge : Counter;
      new Metric({
        name,
        help,
        ...common,
        collect(this: Prom.Gauge | Prom.Counter) {
          this.reset();
          this.inc(value());
        },
      });
    },
    histogram: (name, help, { labels = [], buckets }) =>
      new Histogram({ name, help, labelNames: [...labels], buckets: [...buckets], ...common }),
  };
}

/** From 1 ms on, each twice as long as the one before, as kube-proxy has them: up to 16 s. */
export const doublingBuckets: readonly number[] = Array.from(
  { length: 15 },
  (_, index) => 0.001 * 2 ** index,
);
