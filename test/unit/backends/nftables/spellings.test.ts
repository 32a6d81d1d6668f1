// Every kind of name and key that is read back: what was written comes back as it was, and no reader takes
// what another kind's writer wrote for its own.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { keys } from '../../../../src/backends/nftables/keys.ts';
import { portNames } from '../../../../src/backends/nftables/names.ts';
import {
  balanceChains,
  endpointsMap,
  endpointsMapNamed,
} from '../../../../src/backends/nftables/schema.ts';
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
  .tuple(servicePort, fc.constantFrom('internal', 'external', 'firewall', 'service', 'local'))
  .map(([id, use]) => ({ ...id, use, seconds: undefined }));
const ofEndpoint = fc
  .tuple(servicePort, fc.option(seconds, { nil: undefined }))
  .map(([id, timeout]) => ({
    ...id,
    use: timeout === undefined ? 'endpoint' : 'affinity',
    seconds: timeout,
  }));

type Kind = { readonly values: fc.Arbitrary<unknown>; readonly spelling: Spelling<unknown> };

function kind<T>(values: fc.Arbitrary<unknown>, { write, read }: Spelling<T, unknown>): Kind {
  return { values, spelling: { write: (value) => write(value as T), read } };
}

const at = { ip: 'fd00:2441:1111:2222:3333:4444:5555:6666' as Ip, port: 65_535, isLocal: true };
const kinds: Readonly<Record<string, Kind>> = {
  'chain of a Service port': kind(entry, portNames),
  // One that is too long for a name is cut behind all that is read.
  'chain or set of an endpoint': kind(ofEndpoint, {
    write: (name: Parameters<typeof portNames.write>[0]) =>
      portNames.write({ ...name, endpoint: at }),
    read: portNames.read,
  }),
  'map of endpoints': kind(
    fc
      .tuple(fc.constantFrom(...balanceChains), protocol, fc.integer({ min: 1, max: 5000 }))
      .map(([chain, by, size]) => endpointsMap(chain, { protocol: by, size })),
    { write: ({ name }: { readonly name: string }) => name, read: endpointsMapNamed },
  ),
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

// The two differ in what they are of, and are read by one reader.
const sameReader = new Set(['chain of a Service port', 'chain or set of an endpoint']);

test.each(Object.entries(kinds))('a %s is read back', (name, { values, spelling }) => {
  fc.assert(
    fc.property(values, (value) => {
      const text = spelling.write(value);
      expect(spelling.read(text)).toEqual(value);
      for (const [other, { spelling: reader }] of Object.entries(kinds)) {
        if (other === name || (sameReader.has(other) && sameReader.has(name))) continue;
        expect([other, reader.read(text)]).toEqual([other, undefined]);
      }
    }),
  );
});
