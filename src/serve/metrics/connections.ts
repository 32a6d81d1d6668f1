// New connections of the busiest Services in Prometheus' text format: just so many, as each Service port
// would otherwise be a series of its own for ever.
import type { Connections, PortConnections } from '../../model/connections.ts';

const name = 'sluice_service_connections_total';

/** The lines of the `most` Service ports with the most connections; both families are one. */
export function connectionMetrics({ ports }: Connections, most: number): string {
  const sums = new Map<string, number>();
  for (const port of ports) {
    if (port.connections === undefined) continue;
    const labels = labelsOf(port);
    sums.set(labels, (sums.get(labels) ?? 0) + port.connections);
  }
  const first = [...sums].toSorted(([, a], [, b]) => b - a).slice(0, most);
  return [
    `# HELP ${name} New connections that the kernel counted, of the busiest Service ports`,
    `# TYPE ${name} counter`,
    ...first.map(([labels, sum]) => `${name}{${labels}} ${sum}`),
    '',
  ].join('\n');
}

function labelsOf({ service, portName, protocol }: PortConnections): string {
  const [namespace = '', ...rest] = service.split('/');
  const labels = { namespace, service: rest.join('/'), port: portName, protocol };
  return Object.entries(labels)
    .map(([label, value]) => `${label}="${escaped(value)}"`)
    .join(',');
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
