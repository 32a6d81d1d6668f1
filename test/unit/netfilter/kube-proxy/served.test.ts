// kube-proxy's own chains, read as `diff` reads them, against packets that are traced through them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createIptablesBackend } from '../../../../src/backends/iptables/backend.ts';
import { hostPort } from '../../../../src/model/forwarding.ts';
import type { Family, Ip } from '../../../../src/model/ip.ts';
import { readIptables } from '../../../../src/netfilter/kube-proxy/read-iptables.ts';
import { traceIptables } from '../../../../src/netfilter/kube-proxy/trace-iptables.ts';
import type { Served } from '../../../../src/netfilter/served.ts';

const backend = createIptablesBackend((file) => Promise.reject(new Error(`no ${file} here`)));
const clients: Readonly<Record<Family, { readonly pod: Ip; readonly stranger: Ip }>> = {
  IPv4: { pod: '10.244.1.99' as Ip, stranger: '198.51.100.1' as Ip },
  IPv6: { pod: 'fd00:244:1::99' as Ip, stranger: '2001:db8:ffff::1' as Ip },
};

describe.each([
  ['IPv4', 'iptables.ipv4.rules'],
  ['IPv6', 'iptables.ipv6.rules'],
] as const)('%s', async (family, file) => {
  const saved = readFileSync(
    join(import.meta.dirname, '../../../fixtures/kube-proxy', file),
    'utf8',
  );
  const rules = readIptables(saved);
  const served = backend.served(family, await backend.parse(family, saved));
  const node = (family === 'IPv4' ? '192.168.10.11' : 'fd00:192::11') as Ip;

  /** Where connections of this client to the address may end. */
  function endsOf({ address: { ip = node, protocol, port } }: Served, source: Ip) {
    const packet = { origin: 'elsewhere', interface: 'eth0', source, destination: ip } as const;
    const ends = traceIptables({ rules, hostIps: [node] }, { ...packet, protocol, port });
    const sent = ends.flatMap(({ verdict, endpoint }) =>
      verdict === 'forwarded' && endpoint ? [hostPort(endpoint.ip, endpoint.port)] : [],
    );
    const verdicts = new Set(ends.map(({ verdict }) => verdict));
    return { endpoints: [...new Set(sent)].toSorted(), verdicts: [...verdicts] };
  }

  test('there are Services', () => expect(served.length).toBe(family === 'IPv4' ? 58 : 3));

  test.each(
    served.map((one) => [`${one.address.protocol} ${one.address.ip} ${one.address.port}`, one]),
  )('%s', (_, one) => {
    const { fate, endpoints, outside = endpoints, allowFrom } = one as Served;
    const pod = endsOf(one as Served, clients[family].pod);
    const stranger = endsOf(one as Served, clients[family].stranger);
    if (fate !== 'forward') {
      expect(stranger.verdicts).toEqual([fate === 'drop' ? 'dropped' : 'rejected']);
      return;
    }
    if (allowFrom !== undefined) {
      // Neither is among those who may.
      expect([...pod.verdicts, ...stranger.verdicts]).toEqual(['dropped', 'dropped']);
      return;
    }
    expect(pod.endpoints).toEqual(endpoints);
    expect(stranger.endpoints).toEqual(outside);
    if (outside.length === 0) expect(stranger.verdicts).toEqual(['dropped']);
  });
});
