// New connections of the busiest Services: just so many, as each Service port would otherwise be a series
// of its own for ever.
import type { Connections } from '../../model/connections.ts';
import type { Definer } from './registry.ts';

/** Where the numbers come from, and of how many Service ports there is a series at most. */
export type ConnectionSource = {
  readonly read: () => Promise<Connections>;
  readonly most: number;
};

const labels = ['namespace', 'service', 'port', 'protocol'] as const;

/** Defines the metric; the kernel is read at each scrape. Both families of a Service port are one series. */
export function connectionMetrics({ reading }: Definer, { read, most }: ConnectionSource): void {
  reading('counter', {
    name: 'sluice_service_connections_total',
    help: 'New connections that the kernel counted, of the busiest Service ports',
    labels,
    async read(note) {
      // All other metrics are served although the kernel cannot be read.
      const connections = await read().catch(() => undefined);
      const busiest = sumsOf(connections?.ports ?? []).toSorted((a, b) => b.sum - a.sum);
      for (const { sum, of } of busiest.slice(0, most)) note(sum, of);
    },
  });
}

type Sum = { sum: number; readonly of: Record<(typeof labels)[number], string> };

function sumsOf(ports: Connections['ports']): readonly Sum[] {
  const sums = new Map<string, Sum>();
  for (const { service: key, portName: port, protocol, connections } of ports) {
    if (connections === undefined) continue;
    const id = `${key} ${protocol} ${port}`;
    const [namespace = '', service = ''] = key.split('/');
    const known = sums.get(id) ?? { sum: 0, of: { namespace, service, port, protocol } };
    known.sum += connections;
    sums.set(id, known);
  }
  return [...sums.values()];
}
