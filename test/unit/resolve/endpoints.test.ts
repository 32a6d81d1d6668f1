// The endpoints of a Service port out of all slices that name the Service.
import { describe, expect, test } from 'vitest';
import type { EndpointSlice, ServicePort } from '../../../src/model/kubernetes.ts';
import type { EndpointQuery } from '../../../src/resolve/endpoints.ts';
import { collectEndpoints } from '../../../src/resolve/endpoints.ts';
import { candidateText, sliceOf } from './objects.ts';

const ports = { 'port-0': 80, 'port-1': 443 };

function endpoints(
  slices: readonly EndpointSlice[],
  port: Partial<ServicePort> = {},
  query: Partial<EndpointQuery> = {},
): readonly string[] {
  const wanted = { name: 'port-0', protocol: 'tcp' as const, ...port };
  const how = { slices, family: 'IPv4', nodeName: 'host1', ...query } as const;
  return collectEndpoints(wanted, how).map(candidateText);
}

describe('the endpoints of a Service port', () => {
  test('are those of a slice, once for each of its ports', () => {
    const slice = sliceOf('s1', {
      ports,
      endpoints: ['10.0.1.1@host2', '10.0.1.2@host1', '10.0.1.3@host2'],
    });
    expect(endpoints([slice])).toEqual(['10.0.1.1:80', '10.0.1.2:80 local', '10.0.1.3:80']);
    expect(endpoints([slice], { name: 'port-1' })).toEqual([
      '10.0.1.1:443',
      '10.0.1.2:443 local',
      '10.0.1.3:443',
    ]);
  });

  test('are those of all slices together', () => {
    const slices = [
      sliceOf('s1', { ports, endpoints: ['10.0.1.1', '10.0.1.2', '10.0.1.3'] }),
      sliceOf('s2', { ports, endpoints: ['10.0.2.1', '10.0.2.2', '10.0.2.3'] }),
    ];
    const all = [
      '10.0.1.1:80',
      '10.0.1.2:80',
      '10.0.1.3:80',
      '10.0.2.1:80',
      '10.0.2.2:80',
      '10.0.2.3:80',
    ];
    expect(endpoints(slices)).toEqual(all);
    expect(endpoints(slices.toReversed())).toEqual(all);
  });

  test('are sorted as text, address and port together', () => {
    const hosts = Array.from({ length: 12 }, (_, index) => `10.0.1.${index + 1}`);
    const slice = sliceOf('s1', {
      ports,
      endpoints: hosts.map((ip, index) => (index % 6 === 5 ? `${ip} unready not-serving` : ip)),
    });
    expect(endpoints([slice])).toEqual([
      '10.0.1.10:80',
      '10.0.1.11:80',
      '10.0.1.12:80 unready not-serving',
      '10.0.1.1:80',
      '10.0.1.2:80',
      '10.0.1.3:80',
      '10.0.1.4:80',
      '10.0.1.5:80',
      '10.0.1.6:80 unready not-serving',
      '10.0.1.7:80',
      '10.0.1.8:80',
      '10.0.1.9:80',
    ]);
  });

  test('keep the conditions of each: ready, terminating, or neither', () => {
    const slice = sliceOf('s1', {
      ports,
      endpoints: ['10.0.1.1', '10.0.1.5 unready terminating', '10.0.1.6 unready not-serving'],
    });
    expect(endpoints([slice])).toEqual([
      '10.0.1.1:80',
      '10.0.1.5:80 unready terminating',
      '10.0.1.6:80 unready not-serving',
    ]);
  });

  test('are all there where none is ready', () => {
    const all = ['10.0.1.1 unready not-serving', '10.0.1.2 unready not-serving'];
    expect(endpoints([sliceOf('s1', { ports, endpoints: all })])).toEqual([
      '10.0.1.1:80 unready not-serving',
      '10.0.1.2:80 unready not-serving',
    ]);
  });

  test('are none at a port of the slice that has no number', () => {
    const raw = { ports: { 'port-0': undefined, 'port-1': 443 }, endpoints: ['10.0.1.1'] };
    expect(endpoints([sliceOf('s1', raw)])).toEqual([]);
    expect(endpoints([sliceOf('s1', raw)], { name: 'port-1' })).toEqual(['10.0.1.1:443']);
  });

  test('may have another number in every slice: the name joins them', () => {
    const slices = [
      sliceOf('s1', { ports: { 'port-0': 80 }, endpoints: ['10.0.1.1', '10.0.1.2'] }),
      sliceOf('s2', { ports: { 'port-0': 8080 }, endpoints: ['10.0.1.1', '10.0.1.2'] }),
    ];
    expect(endpoints(slices)).toEqual([
      '10.0.1.1:80',
      '10.0.1.1:8080',
      '10.0.1.2:80',
      '10.0.1.2:8080',
    ]);
  });

  test('are matched by protocol too, and by family', () => {
    const slices = [
      sliceOf('s1', { ports, protocol: 'UDP', endpoints: ['10.0.1.1'] }),
      sliceOf('s2', { ports, addressType: 'IPv6', endpoints: ['fd00::1'] }),
    ];
    expect(endpoints(slices)).toEqual([]);
    expect(endpoints(slices, { protocol: 'udp' })).toEqual(['10.0.1.1:80']);
    expect(endpoints(slices, {}, { family: 'IPv6' })).toEqual(['[fd00::1]:80']);
  });

  test('are not of this node where the node has no name, nor where they name none', () => {
    const slice = sliceOf('s1', { ports, endpoints: ['10.0.1.1', '10.0.1.2@host1'] });
    expect(endpoints([slice], {}, { nodeName: '' })).toEqual(['10.0.1.1:80', '10.0.1.2:80']);
    expect(endpoints([slice])).toEqual(['10.0.1.1:80', '10.0.1.2:80 local']);
  });
});

describe('an endpoint that stands in several slices', () => {
  const [ending, running, dead] = [
    '10.0.1.1 unready terminating',
    '10.0.1.1@host1',
    '10.0.1.1 unready not-serving terminating',
  ].map((text) => [text]);

  test('counts once, as the one that is not ending', () => {
    const slices = [
      sliceOf('s1', { ports, endpoints: ending ?? [] }),
      sliceOf('s2', { ports, endpoints: running ?? [] }),
      sliceOf('s3', { ports, endpoints: dead ?? [] }),
    ];
    expect(endpoints(slices)).toEqual(['10.0.1.1:80 local']);
    expect(endpoints(slices.toReversed())).toEqual(['10.0.1.1:80 local']);
  });

  test('counts as that of the last slice by name where several are not ending', () => {
    const slices = [
      sliceOf('s2', { ports, endpoints: ['10.0.1.1@host1'] }),
      sliceOf('s1', { ports, endpoints: ['10.0.1.1 unready'] }),
    ];
    expect(endpoints(slices)).toEqual(['10.0.1.1:80 local']);
    expect(endpoints(slices.toReversed())).toEqual(['10.0.1.1:80 local']);
  });
});
