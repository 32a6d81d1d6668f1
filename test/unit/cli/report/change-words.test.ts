// What is said of every way in which a Service can change.
import { describe, expect, test } from 'vitest';
import { changeWords } from '../../../../src/cli/report/change-words.ts';
import { serviceChanges } from '../../../../src/diff/service-change.ts';
import type { Ip } from '../../../../src/model/ip.ts';
import type { ServiceKey } from '../../../../src/model/kubernetes.ts';
import type { Served } from '../../../../src/netfilter/served.ts';

const web: Served = {
  family: 'IPv4',
  address: { ip: '10.96.0.10' as Ip, protocol: 'tcp', port: 80 },
  service: 'shop/web' as ServiceKey,
  portName: 'http',
  fate: 'forward',
  endpoints: ['10.244.1.11:8080', '10.244.2.11:8080'],
  outside: undefined,
  affinitySeconds: 0,
  allowFrom: undefined,
  masquerade: ['! -s 10.244.0.0/16'],
};
const nodePort: Served = { ...web, address: { ...web.address, ip: undefined, port: 30_080 } };
const other: Served = { ...web, address: { ...web.address, ip: '203.0.113.10' as Ip } };
const six: Served = {
  ...web,
  family: 'IPv6',
  address: { ...web.address, ip: 'fd00:96::10' as Ip },
  endpoints: ['[fd00:244::11]:8080'],
};
const refused: Served = { ...web, fate: 'reject', endpoints: [], masquerade: [] };
const third = [...web.endpoints, '10.244.2.12:8080'];
const local: Served = { ...other, outside: ['10.244.1.11:8080'] };

function wordsOf(before: readonly Served[], after: readonly Served[]): readonly string[] {
  return serviceChanges(before, after).flatMap((change) => changeWords(change, undefined));
}

describe('in words', () => {
  test.each<[what: string, before: Served[], after: Served[], words: string[]]>([
    ['nothing', [web, nodePort], [nodePort, web], []],
    [
      'an endpoint more, at every address',
      [web, nodePort],
      [web, nodePort].map((one) => ({ ...one, endpoints: third })),
      ['shop/web http: endpoint 10.244.2.12:8080 added, 3 instead of 2'],
    ],
    [
      'an endpoint less, at one address',
      [{ ...web, endpoints: third }, nodePort],
      [web, nodePort],
      ['shop/web http: at 10.96.0.10:80/tcp: endpoint 10.244.2.12:8080 removed, 2 of 3 left'],
    ],
    [
      'another endpoint',
      [web],
      [{ ...web, endpoints: ['10.244.1.11:8080', '10.244.2.12:8080'] }],
      ['shop/web http: endpoints 10.244.2.12:8080 added, 10.244.2.11:8080 removed, 2 as before'],
    ],
    [
      'no endpoint left',
      [web],
      [refused],
      [
        'shop/web http: endpoints 10.244.1.11:8080 and 10.244.2.11:8080 removed, none left; connections are refused',
      ],
    ],
    [
      'the first endpoint',
      [refused],
      [web],
      [
        'shop/web http: endpoints 10.244.1.11:8080 and 10.244.2.11:8080 added, 2 instead of none; refused until now',
      ],
    ],
    [
      'none that the policy allows, in place of none at all',
      [refused],
      [{ ...refused, fate: 'drop' }],
      ['shop/web http: connections are dropped: the traffic policy allows none of the endpoints'],
    ],
    [
      'none left for those outside',
      [local],
      [{ ...local, outside: [] }],
      ['shop/web http: from outside: endpoint 10.244.1.11:8080 removed, none left'],
    ],
    [
      'externalTrafficPolicy becomes Local',
      [web, other],
      [web, local],
      [
        'shop/web http: at 203.0.113.10:80/tcp: from outside: endpoint 10.244.2.11:8080 removed, 1 of 2 left',
      ],
    ],
    [
      'affinity',
      [web],
      [{ ...web, affinitySeconds: 600 }],
      ['shop/web http: session affinity: 600 s (before: none)'],
    ],
    [
      'source ranges',
      [other],
      [{ ...other, allowFrom: ['192.0.2.0/24'] }],
      ['shop/web http: allowed sources: 192.0.2.0/24 (before: all)'],
    ],
    [
      'masquerading',
      [web],
      [{ ...web, masquerade: ['always'] }],
      ['shop/web http: the sources that are masqueraded change'],
    ],
    [
      'the name of the port',
      [web],
      [{ ...web, portName: 'web' }],
      ['shop/web web: the port was named "http"'],
    ],
    [
      'an address more, and one less',
      [web, nodePort],
      [web, other],
      [
        'shop/web http: node port 30080/tcp removed',
        'shop/web http: 203.0.113.10:80/tcp added, with 2 endpoints',
      ],
    ],
    [
      'one family of two',
      [web, six],
      [web, { ...six, endpoints: [...six.endpoints, '[fd00:244::12]:8080'] }],
      ['shop/web http: IPv6: endpoint [fd00:244::12]:8080 added, 2 instead of 1'],
    ],
    [
      'a Service more',
      [],
      [web, nodePort, six],
      [
        'shop/web: added, at 10.96.0.10:80/tcp, node port 30080/tcp and [fd00:96::10]:80/tcp, with 3 endpoints',
      ],
    ],
    ['a Service less', [web], [], ['shop/web: removed, at 10.96.0.10:80/tcp, with 2 endpoints']],
    [
      'an address that another Service gets',
      [web, { ...other, service: 'shop/old' as ServiceKey }],
      [web, other],
      [
        'shop/old: removed, at 203.0.113.10:80/tcp, with 2 endpoints',
        'shop/web http: 203.0.113.10:80/tcp added, with 2 endpoints',
      ],
    ],
  ])('%s', (_, before, after, words) => {
    expect(wordsOf(before, after)).toEqual(words);
  });

  test('long lists are cut, and nothing that a terminal obeys comes through', () => {
    const endpoints = Array.from({ length: 9 }, (_, number) => `10.244.3.${number}:80`);
    const service = 'shop/w\u001B[31meb' as ServiceKey;
    const bad = { ...web, service, portName: 'a\r\n' };
    expect(wordsOf([bad], [{ ...bad, endpoints: [...bad.endpoints, ...endpoints] }])).toEqual([
      'shop/w\\u001b[31meb a\\u000d\\u000a: endpoints 10.244.3.0:80, 10.244.3.1:80, 10.244.3.2:80 and 6 more added, 11 instead of 2',
    ]);
  });

  test('conntrack entries are told of where somebody looked', () => {
    const [change] = serviceChanges([web], [refused]);
    const words = (count: number) => change && changeWords(change, () => count)[0];
    expect(words(0)).toMatch(/connections are refused$/);
    expect(words(1)).toMatch(/connections are refused; 1 conntrack entry will be removed$/);
    expect(words(14)).toMatch(/connections are refused; 14 conntrack entries will be removed$/);
  });
});
