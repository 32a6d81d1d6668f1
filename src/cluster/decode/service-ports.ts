// Decodes spec.ports of a Service: untrusted JSON in, ports out. Endpoints find their port by name, and
// packets by number and protocol, so both must be unique.
import { readNodePort, readPortName, readPortNumber, readProtocol } from './port.ts';
import { child, objectEntries, pathOf, report, type Field } from './json-field.ts';
import { fieldName } from '../problem.ts';
import type { ServicePort } from '../../model/kubernetes.ts';

type ReadPort = { readonly field: Field; readonly port: ServicePort };

/** The ports of a Service; what is wrong with them is reported, and then they must not be used. */
export function readServicePorts(list: Field): readonly ServicePort[] {
  const fields = objectEntries(list);
  if (list.value === undefined || (Array.isArray(list.value) && list.value.length === 0)) {
    report(list, 'is missing; a Service needs at least one port');
  }
  const ports = fields.flatMap((field): readonly ReadPort[] => {
    const port = readServicePort(field);
    return port === undefined ? [] : [{ field, port }];
  });
  reportTwins(ports, {
    key: ({ name }) => name,
    twin: ({ field, port }, first) =>
      report(
        child(field, 'name'),
        port.name === ''
          ? `is missing, as is that of ${first}`
          : `${port.name} is also the name of ${first}`,
      ),
  });
  reportTwins(ports, {
    key: ({ port, protocol }) => `${port}/${protocol.toUpperCase()}`,
    twin: ({ field, port }, first) => {
      const pair = `${port.port}/${port.protocol.toUpperCase()}`;
      report(child(field, 'port'), `${pair} is also the port of ${first}`);
    },
  });
  reportTwins(
    ports.filter(({ port }) => port.nodePort > 0),
    {
      key: ({ nodePort, protocol }) => `${nodePort}/${protocol.toUpperCase()}`,
      twin: ({ field, port }, first) => {
        const pair = `${port.nodePort}/${port.protocol.toUpperCase()}`;
        report(child(field, 'nodePort'), `${pair} is also the node port of ${first}`);
      },
    },
  );
  return ports.map(({ port }) => port);
}

function readServicePort(field: Field): ServicePort | undefined {
  const name = readPortName(child(field, 'name'));
  const protocol = readProtocol(child(field, 'protocol'));
  const port = readPortNumber(child(field, 'port'));
  const nodePort = readNodePort(child(field, 'nodePort'));
  return port === undefined ? undefined : { name, protocol, port, nodePort };
}

/** Calls `twin` for each port whose key an earlier one has, with the earlier one's path. */
function reportTwins(
  ports: readonly ReadPort[],
  how: { key: (port: ServicePort) => string; twin: (port: ReadPort, first: string) => void },
): void {
  const firsts = new Map<string, string>();
  for (const entry of ports) {
    const key = how.key(entry.port);
    const first = firsts.get(key);
    if (first === undefined) firsts.set(key, fieldName(pathOf(entry.field)));
    else how.twin(entry, first);
  }
}
