// Every kind of name and key that is read back: what was written comes back as it was, and no reader takes
// what another kind's writer wrote for its own.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { keys } from '../../../../src/backends/nftables/keys.ts';
import { portNames, sharedChainNames } from '../../../../src/backends/nftables/names.ts';
import { slotMapNamed, slotMaps } from '../../../../src/backends/nftables/schema.ts';
import type { Spelling } from '../../../../src/backends/spelling.ts';
import type { Ip } from '../../../../src/model/ip.ts';
import { parseIp } from '../../../../src/model/ip.ts';
import type { Protocol } from '../../../../src/model/kubernetes.ts';
import { serviceKey, servicePortName, servicePortNamed } from '../../../../src/model/kubernetes.ts';

const label = fc.stringMatching(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/);
const portName = fc.oneof(fc.constant(''), label);
const service = fc.tuple(label, label).map(([namespace, name]) => serviceKey(namespace, name));
const protocol = fc.constantFrom<Protocol>('tcp', 'udp', 'sctp');
const ip = fc.oneof(fc.ipV4(), fc.ipV6()).map((text) => parseIp(text) as Ip);
const port = fc.integer({ min: 1, max: 65_535 });
const maybeIp = fc.option(ip, { nil: undefined });
const servicePort = fc.record({ service, portName, protocol });
const seconds = fc.integer({ min: 1, max: 86_400 });
const entry = fc
  .tuple(servicePort, fc.constantFrom('internal', 'external', 'nodeport', 'firewall', 'remember'))
  .map(([id, use]) => ({ ...id, use, clients: undefined }));
const clients = fc
  .tuple(servicePort, fc.constantFrom('affinity', 'local-affinity'), fc.record({ seconds, port }))
  .map(([id, use, of]) => ({ ...id, use, clients: of }));
const capacity = fc.nat(5000);
const shared = fc.oneof(
  fc.record({
    kind: fc.constantFrom('KUBE-SVC', 'KUBE-EXT', 'KUBE-NODEPORT'),
    protocol,
    capacity,
    localCapacity: fc.constant(undefined),
  }),
  fc.record({
    kind: fc.constantFrom('KUBE-EXT-LOCAL', 'KUBE-NODEPORT-LOCAL'),
    protocol,
    capacity,
    localCapacity: capacity,
  }),
);

type Kind = { readonly values: fc.Arbitrary<unknown>; readonly spelling: Spelling<unknown> };

function kind<T>(values: fc.Arbitrary<unknown>, { write, read }: Spelling<T, unknown>): Kind {
  return { values, spelling: { write: (value) => write(value as T), read } };
}

const kinds: Readonly<Record<string, Kind>> = {
  'chain of a Service port': kind(entry, portNames),
  'map of clients': kind(clients, portNames),
  'chain that Services share': kind(shared, sharedChainNames),
  'map of slots': kind(fc.constantFrom(...slotMaps), {
    write: ({ name }: { readonly name: string }) => name,
    read: slotMapNamed,
  }),
  'key of a frontend': kind(fc.record({ ip: maybeIp, protocol, port }), keys.frontend),
  'key of a slot': kind(fc.record({ ip: maybeIp, port, slot: fc.nat(5000) }), keys.slot),
  'where a slot leads': kind(fc.record({ ip, port }), keys.target),
  'verdict that leads to a chain': kind(entry.map(portNames.write as never), keys.chain),
  'name of a Service port': kind(fc.record({ service, portName }), {
    write: (name: { service: ReturnType<typeof serviceKey>; portName: string }) =>
      servicePortName(name.service, name.portName),
    read: servicePortNamed,
  }),
};

// Some differ in what they are of, and are read by one reader.
const sameReader = [['chain of a Service port', 'map of clients']];

test.each(Object.entries(kinds))('a %s is read back', (name, { values, spelling }) => {
  fc.assert(
    fc.property(values, (value) => {
      const text = spelling.write(value);
      expect(spelling.read(text)).toEqual(value);
      for (const [other, { spelling: reader }] of Object.entries(kinds)) {
        const isSame = sameReader.some((names) => names.includes(other) && names.includes(name));
        if (other === name || isSame) continue;
        expect([other, reader.read(text)]).toEqual([other, undefined]);
      }
    }),
  );
});
