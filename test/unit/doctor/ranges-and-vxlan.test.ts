// The checks of `sluice doctor` that look at ranges of ports, and at VXLAN interfaces.
import { describe, expect, test } from 'vitest';
import type { NodeFacts } from '../../../src/host/node-facts.ts';
import { ills, iptablesMode, well } from './facts.ts';

const tools = well.tools;
const vxlan = { name: 'flannel.1', kind: 'vxlan', checksumOffload: true };
const reserve = 'sysctl -w net.ipv4.ip_local_reserved_ports=';

describe('node ports that are reserved', () => {
  test.each<[reserved: string, ills: string[]]>([
    ['30000-32767', []],
    ['8080,30000-31000,31001-40000', []],
    ['31001-40000,30000-31000', []],
    ['8080', [`warn node ports: ${reserve}8080,30000-32767`]],
    ['30000-31000,31002-32767', [`warn node ports: ${reserve}30000-31000,31002-32767,30000-32767`]],
  ])('%j', (reserved, expected) => {
    const sysctls = new Map([
      ...well.sysctls,
      ['net.ipv4.ip_local_port_range', '20000 60999'] as const,
      ['net.ipv4.ip_local_reserved_ports', reserved] as const,
    ]);
    expect(ills({ sysctls })).toEqual(expected);
  });
});

describe('VXLAN checksums', () => {
  const off = 'warn vxlan: ethtool -K flannel.1 tx-checksum-ip-generic off';
  test.each<[kernel: string, ills: string[]]>([
    ['6.12.9', []],
    ['5.7.0', []],
    ['5.6.13', []],
    ['5.6.12', [off]],
    ['5.4.41-1', []],
    ['5.4.40-1', [off]],
    ['4.19.123', []],
    ['4.18.0-305.el8', [off]],
  ])('of kernel %s', (kernel, expected) => {
    const found = ills({ kernel, interfaces: [vxlan] }, iptablesMode);
    expect(found.filter((line) => line.includes('vxlan'))).toEqual(expected);
  });

  test('without offload, or without the tool that tells', () => {
    const of = (checksumOffload: boolean | undefined, more: Partial<NodeFacts> = {}) =>
      ills(
        { kernel: '4.18.0', interfaces: [{ ...vxlan, checksumOffload }], ...more },
        iptablesMode,
      ).filter((line) => line.includes('vxlan'));
    expect(of(false)).toEqual([]);
    expect(of(undefined, { tools: { ...tools, ethtool: undefined } })).toEqual([
      'warn vxlan: apt-get install -y ethtool && ethtool -K flannel.1 tx-checksum-ip-generic off',
    ]);
  });
});
