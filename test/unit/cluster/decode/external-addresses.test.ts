import { describe, expect, test } from 'vitest';
import { decodeService } from '../../../../src/cluster/decode/service.ts';
import { service } from '../objects.ts';

type Json = Readonly<Record<string, unknown>>;

function decode(spec: Json, status: unknown = {}) {
  const decoded = decodeService({ ...service(spec), status });
  const problems = decoded.kind === 'ignored' ? [] : decoded.problems;
  const object = decoded.kind === 'object' ? decoded.object : undefined;
  if (object?.kind !== 'Service') throw new Error(JSON.stringify(decoded));
  const { externalIps, loadBalancerIps, sourceRanges } = object.value;
  return {
    externalIps,
    loadBalancerIps,
    sourceRanges,
    problems: problems.map(({ field, message }) => `${field}: ${message}`),
  };
}

const none = { externalIps: [], loadBalancerIps: [], sourceRanges: [], problems: [] };
const ingress = (...entries: readonly unknown[]) => ({ loadBalancer: { ingress: entries } });

describe('external IPs', () => {
  test.each<[name: string, externalIPs: readonly unknown[], externalIps: readonly string[]]>([
    [
      'of both families, in order',
      ['fd00::5', '203.0.113.5', 'FD00::4'],
      ['fd00::5', '203.0.113.5', 'fd00::4'],
    ],
    ['with leading zeros', ['203.000.113.010'], ['203.0.113.10']],
    ['of loopback and link-local', ['127.0.0.1', '169.254.20.10'], ['127.0.0.1', '169.254.20.10']],
    ['of IPv4 in IPv6', ['::ffff:203.0.113.5'], ['203.0.113.5']],
    ['that are blank', ['', ' ', null, '203.0.113.5'], ['203.0.113.5']],
    ['that stand there twice', ['203.0.113.5', '203.0.113.5'], ['203.0.113.5', '203.0.113.5']],
    ['for whatever type', [], []],
  ])('%s', (_, externalIPs, externalIps) => {
    expect(decode({ externalIPs })).toEqual({ ...none, externalIps });
  });

  test.each<[entry: unknown, message: string]>([
    ['203.0.113.256', '"203.0.113.256" is not an IP address'],
    ['203.0.113.5/32', '"203.0.113.5/32" is not an IP address'],
    [' 203.0.113.5', '" 203.0.113.5" is not an IP address'],
    ['fe80::1%eth0', '"fe80::1%eth0" is not an IP address'],
    [7, '7 is not a string'],
    [['203.0.113.5'], 'a list is not a string'],
  ])('lose just the entry %j: %s', (entry, message) => {
    expect(decode({ externalIPs: ['203.0.113.4', entry, '203.0.113.6'] })).toEqual({
      ...none,
      externalIps: ['203.0.113.4', '203.0.113.6'],
      problems: [`spec.externalIPs[1]: ${message}`],
    });
  });
});

describe("a load balancer's addresses", () => {
  test.each<[name: string, entries: readonly unknown[], loadBalancerIps: readonly string[]]>([
    ['of both families', [{ ip: '198.51.100.1' }, { ip: 'FD00::1' }], ['198.51.100.1', 'fd00::1']],
    ['of a tunnel on this host', [{ ip: '127.0.0.1' }], ['127.0.0.1']],
    ['of mode VIP', [{ ip: '198.51.100.1', ipMode: 'VIP' }], ['198.51.100.1']],
    ['of mode Proxy', [{ ip: '198.51.100.1', ipMode: 'Proxy' }], []],
    ['of a mode to come', [{ ip: '198.51.100.1', ipMode: 'Direct' }], []],
    ['of an empty mode', [{ ip: '198.51.100.1', ipMode: '' }], []],
    ['of no mode', [{ ip: '198.51.100.1', ipMode: null }], ['198.51.100.1']],
    ['of a name alone', [{ hostname: 'lb.example' }, { ip: '' }, {}], []],
    [
      'with ports, which mean nothing here',
      [{ ip: '198.51.100.1', ports: [{ port: 1 }] }],
      ['198.51.100.1'],
    ],
  ])('%s', (_, entries, loadBalancerIps) => {
    expect(decode({}, ingress(...entries))).toEqual({ ...none, loadBalancerIps });
  });

  test.each<[problem: string, status: unknown]>([
    ['status: 7 is not an object', 7],
    ['status.loadBalancer: 7 is not an object', { loadBalancer: 7 }],
    ['status.loadBalancer.ingress: 7 is not a list', { loadBalancer: { ingress: 7 } }],
    ['status.loadBalancer.ingress[0]: 7 is not an object', ingress(7)],
    ['status.loadBalancer.ingress[0].ip: "x" is not an IP address', ingress({ ip: 'x' })],
  ])('that mean nothing never cost the Service: %s', (problem, status) => {
    expect(decode({}, status)).toEqual({ ...none, problems: [problem] });
  });
});

describe('source ranges', () => {
  test.each<[name: string, ranges: readonly unknown[], sourceRanges: readonly string[]]>([
    [
      'with white space round them',
      [' 203.0.113.0/25', 'fd00::/64\t'],
      ['203.0.113.0/25', 'fd00::/64'],
    ],
    ['with leading zeros', ['203.0.113.000/025'], ['203.0.113.0/25']],
    ['with host bits', ['1.2.3.4/28'], ['1.2.3.0/28']],
    ['of everyone', ['0.0.0.0/0', '::/0'], ['0.0.0.0/0', '::/0']],
    ['that are blank', ['', '  ', null], []],
  ])('%s', (_, loadBalancerSourceRanges, sourceRanges) => {
    expect(decode({ loadBalancerSourceRanges })).toEqual({ ...none, sourceRanges });
  });

  test.each<[entry: unknown, message: string]>([
    ['203.0.113.0', '"203.0.113.0" is not a CIDR'],
    ['203.0.113.0/33', '"203.0.113.0/33" is not a CIDR'],
    ['203.0.113.0/24 # all', '"203.0.113.0/24 # all" is not a CIDR'],
    [7, '7 is not a string'],
  ])('lose just the entry %j: %s', (entry, message) => {
    expect(decode({ loadBalancerSourceRanges: [entry, '10.0.0.0/8'] })).toEqual({
      ...none,
      sourceRanges: ['10.0.0.0/8'],
      problems: [`spec.loadBalancerSourceRanges[0]: ${message}`],
    });
  });
});
