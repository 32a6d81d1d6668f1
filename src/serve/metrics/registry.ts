// Makes metrics of prom-client in few words; each is of one registry, and of no global one.
import type * as Prom from 'prom-client';

/** The library. */
export type PromLibrary = typeof Prom;

/** A metric whose values are read at each scrape. */
export type Reading<L extends string> = {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly L[];
  /** Calls `note` with each value. */
  readonly read: (
    note: (value: number, labels?: Partial<Record<L, string>>) => void,
  ) => void | Promise<void>;
};

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
  /** A gauge or counter whose values are read at each scrape. */
  readonly reading: <L extends string = never>(
    type: 'gauge' | 'counter',
    metric: Reading<L>,
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
    reading<L extends string>(
      type: 'gauge' | 'counter',
      { name, help, labels = [], read }: Reading<L>,
    ) {
      const Metric = type === 'gauge' ? Gauge : Counter;
      const metric: Prom.Gauge<L> | Prom.Counter<L> = new Metric({
        name,
        help,
        labelNames: [...labels],
        ...common,
        collect() {
          metric.reset();
          return read((value, of = {}) => metric.inc(of, value));
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
