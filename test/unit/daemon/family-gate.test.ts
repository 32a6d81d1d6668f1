// Before anything is programmed: addresses of families that this node does not have.
import { pino } from 'pino';
import { beforeEach, describe, expect, test } from 'vitest';
import { throughFamilyGate } from '../../../src/daemon/family-gate.ts';
import { UsageError } from '../../../src/errors.ts';
import type { Family, Ip } from '../../../src/model/ip.ts';
import { parseCidr, type Cidr } from '../../../src/model/ip.ts';
import type { ClusterChange } from '../../../src/model/kubernetes.ts';
import type { Batch } from '../../../src/daemon/loop.ts';
import { configFor } from '../../support/config.ts';

let warnings: string[] = [];
let delivered: Batch[] = [];

beforeEach(() => {
  [warnings, delivered] = [[], []];
});

function gate(flags: readonly string[], families: readonly Family[] = ['IPv4', 'IPv6']) {
  const log = pino({}, { write: (line) => void warnings.push((JSON.parse(line) as Line).msg) });
  const config = configFor('iptables', ['--nodeport-addresses', 'primary', ...flags]);
  return throughFamilyGate({ config, families, log }, (batch) => void delivered.push(batch));
}

type Line = { readonly msg: string };

function nodeOf(ips: readonly string[], podCidrs: readonly string[], name = 'node-1'): Batch {
  const value = {
    name,
    podCidrs: podCidrs.map((cidr) => parseCidr(cidr) as Cidr),
    ips: ips as readonly Ip[],
    zone: '',
    isEligible: true,
  };
  const change: ClusterChange = { op: 'set', object: { kind: 'Node', id: name, value } };
  return { changes: [change], version: '1' };
}

const nothing: Batch = { changes: [], version: '0' };
const byNode = ['--detect-local-mode', 'NodeCIDR'];

describe('the proxy does not go on', () => {
  test('where the Node’s pods have the other family alone, in NodeCIDR mode', () => {
    const deliver = gate(byNode);
    expect(() => deliver(nodeOf(['192.168.1.5'], ['fd00::/64']))).toThrow(UsageError);
    expect(delivered).toEqual([]);
  });

  test('where the Node’s addresses are of a family that cannot be served', () => {
    const deliver = gate([], ['IPv4']);
    expect(() => deliver(nodeOf(['fd00::5'], []))).toThrow('IPv6, which it cannot serve');
  });

  test('where bindAddress is of such a family, before the Node is known', () => {
    const deliver = gate(['--bind-address', 'fd00::5'], ['IPv4']);
    expect(() => deliver(nothing)).toThrow('IPv6, which it cannot serve');
  });

  test('where clusterCIDR is of the other family on a node of one, in ClusterCIDR mode', () => {
    const flags = ['--detect-local-mode', 'ClusterCIDR', '--cluster-cidr', 'fd00::/56'];
    expect(() => gate(flags, ['IPv4'])(nodeOf(['192.168.1.5'], []))).toThrow('clusterCIDR');
  });

  test('where only a later batch brings the Node', () => {
    const deliver = gate(byNode);
    deliver(nothing);
    expect(() => deliver(nodeOf(['192.168.1.5'], ['fd00::/64']))).toThrow('podCIDRs');
    expect(delivered).toEqual([nothing]);
  });
});

describe('the proxy goes on', () => {
  test('where all fits, without a word', () => {
    const batch = nodeOf(['192.168.1.5'], ['10.244.1.0/24']);
    const deliver = gate(byNode);
    deliver(batch);
    deliver(nothing);
    expect(delivered).toEqual([batch, nothing]);
    expect(warnings).toEqual([]);
  });

  test('with a warning where it is only odd', () => {
    const deliver = gate(['--detect-local-mode', 'BridgeInterface', '--pod-bridge-interface', 'b']);
    deliver(nodeOf(['192.168.1.5'], ['fd00::/64']));
    expect(warnings).toEqual([expect.stringContaining('podCIDRs')]);
    expect(delivered).toHaveLength(1);
  });

  test('on a node of IPv6 of which nothing is known', () => {
    gate([], ['IPv6'])(nothing);
    expect(delivered).toHaveLength(1);
  });

  test('where it is another Node', () => {
    gate(byNode)(nodeOf(['192.168.1.5'], ['fd00::/64'], 'node-2'));
    expect(delivered).toHaveLength(1);
  });
});
