// What offline commands tell of Services that they leave out.
import { expect, test } from 'vitest';
import type { Assembler } from '../../../../src/backends/backend.ts';
import { notProgrammedText } from '../../../../src/cli/report/not-programmed.ts';
import type { Ip } from '../../../../src/model/ip.ts';
import type { ClusterObject } from '../../../../src/model/kubernetes.ts';
import { desiredOf } from '../../../../src/sync/offline.ts';
import { configFor } from '../../../support/config.ts';
import { serviceOf } from '../../resolve/objects.ts';

// A bug of ours, which no object is known to meet.
const faulty: Assembler = {
  assemble: () => ({
    replace(pieces) {
      if (pieces.get('ns/bad' as never) !== undefined) throw new Error('no rule\nat that place');
      return { before: new Map(), after: new Map() };
    },
    units: () => [],
    whole: () => new Map(),
  }),
};

test('a Service that no rules can be made for is named, with the first line of why', () => {
  const objects = ['good', 'bad'].map((name, n): ClusterObject => {
    const spec = { clusterIP: `10.96.0.${n + 10}`, ports: [{ port: 80 }] };
    return { kind: 'Service', id: `ns/${name}`, value: serviceOf(spec, { name }) };
  });
  const from = { config: configFor('nftables'), families: ['IPv4'] as const };
  const wanted = desiredOf(faulty, objects, { ...from, hostIps: () => ['192.168.0.2' as Ip] });
  expect(notProgrammedText(wanted)).toBe('Service ns/bad: not programmed for IPv4: no rule\n');
});
