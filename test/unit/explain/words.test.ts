// What explain says in words of packets that are for a Service port: for every kind of Route.
import { describe, expect, test } from 'vitest';
import type { ProxyMode } from '../../../src/model/config.ts';
import { answerTo, here, shop, there, toClusterIp, why } from './shop.ts';

const aPod = 'configuration: clusterCIDR 10.244.0.0/16: the sender is a pod';
const noPod = 'configuration: clusterCIDR 10.244.0.0/16: the source is outside the pod network';
const keptForPod =
  'configuration: clusterCIDR 10.244.0.0/16: from a pod, so the source address is kept';
const atClusterIp = [
  'Service web/shop: spec.clusterIPs[0] 10.96.0.10: its own address in the cluster',
  'Service web/shop: spec.ports[0].port tcp 80 (http): the Service port that it is for',
];
const anywhere =
  'Service web/shop: spec.internalTrafficPolicy Cluster: endpoints on any node count';

describe('a ClusterIP', () => {
  test('forwarded, with the source kept for a pod', () => {
    expect(why({ raws: shop({}, [here, there]), to: toClusterIp })).toEqual([
      aPod,
      ...atClusterIp,
      anywhere,
      keptForPod,
    ]);
  });

  test('masqueraded from outside', () => {
    const ask = { raws: shop({}, [here]), to: toClusterIp, from: 'outside 198.51.100.1' };
    expect(why(ask)).toEqual([
      noPod,
      ...atClusterIp,
      anywhere,
      'configuration: clusterCIDR 10.244.0.0/16: not from a pod, so masqueraded: the answer must come back through this node',
    ]);
  });

  test('masqueraded for all', () => {
    const ask = { raws: shop({}, [here]), to: toClusterIp, flags: ['--masquerade-all'] };
    expect(why(ask).at(-1)).toBe(
      'configuration: masqueradeAll true: masqueraded: the endpoint sees an address of this node',
    );
  });

  test('kept where pods cannot be told', () => {
    const flags = ['--detect-local-mode', 'NodeCIDR'];
    const raws = shop({ clusterIP: 'fd00:96::10' }, []);
    const v6 = {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'six', namespace: 'web', labels: { 'kubernetes.io/service-name': 'shop' } },
      addressType: 'IPv6',
      ports: [{ name: 'http', port: 8080 }],
      endpoints: [{ addresses: ['fd00:244:1::11'], nodeName: 'node-1' }],
    };
    const ask = {
      raws: [...raws, v6],
      to: 'tcp fd00:96::10 80',
      from: 'pod fd00:244:1::13',
      flags,
    };
    const said = why(ask);
    expect(said[0]).toBe(
      'Node node-1: spec.podCIDRs: nothing here tells pods from others in this family',
    );
    expect(said.at(-1)).toBe(
      'Node node-1: spec.podCIDRs: nothing tells pods from others, so the source address is kept',
    );
  });

  test('an endpoint that reaches itself', () => {
    const ask = { raws: shop({}, [here, there]), to: toClusterIp, from: 'pod 10.244.1.11' };
    expect(why(ask).at(-1)).toBe(
      'the endpoint itself: address 10.244.1.11: where it is sent to itself, masqueraded: else it would answer itself past this node',
    );
  });

  test('internalTrafficPolicy Local, with and without an endpoint here', () => {
    const local = { internalTrafficPolicy: 'Local' };
    const policy =
      'Service web/shop: spec.internalTrafficPolicy Local: only endpoints on this node count';
    expect(why({ raws: shop(local, [here, there]), to: toClusterIp })).toEqual([
      aPod,
      ...atClusterIp,
      policy,
      keptForPod,
    ]);
    expect(why({ raws: shop(local, [there]), to: toClusterIp })).toEqual([
      aPod,
      ...atClusterIp,
      policy,
      'Service web/shop: EndpointSlices: there are endpoints, but none on this node: dropped',
    ]);
  });

  test('refused for want of endpoints', () => {
    expect(why({ raws: shop({}, []), to: toClusterIp }).at(-1)).toBe(
      'Service web/shop: EndpointSlices: no endpoint can be used: refused',
    );
  });

  test('affinity', () => {
    const affinity = {
      sessionAffinity: 'ClientIP',
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 600 } },
    };
    expect(why({ raws: shop(affinity, [here]), to: toClusterIp })).toEqual([
      aPod,
      ...atClusterIp,
      anywhere,
      'Service web/shop: spec.sessionAffinityConfig.clientIP.timeoutSeconds 600: a client that comes back within so many seconds goes to the endpoint it had',
      keptForPod,
    ]);
  });

  test('claimed by two', () => {
    const [other] = shop({ clusterIP: '10.96.0.10' }, []) as [{ metadata: object }];
    const younger = { ...other, metadata: { name: 'thief', namespace: 'web' } };
    const elder = shop({}, [here]).map((raw, index) =>
      index === 0
        ? {
            ...raw,
            metadata: { name: 'shop', namespace: 'web', creationTimestamp: '2026-01-01T00:00:00Z' },
          }
        : raw,
    );
    expect(why({ raws: [...elder, younger], to: toClusterIp })).toEqual([
      aPod,
      ...atClusterIp,
      'Service web/shop: metadata.creationTimestamp 2026-01-01T00:00:00Z: Service web/thief claims it as well, and has no creation time, which counts as younger: it does not have it',
      anywhere,
      keptForPod,
    ]);
  });
});

describe('external addresses', () => {
  const spec = {
    type: 'LoadBalancer',
    externalIPs: ['203.0.113.5'],
    ports: [{ name: 'http', port: 80, nodePort: 30080 }],
  };
  const status = { loadBalancer: { ingress: [{ ip: '192.0.2.10' }] } };
  const cluster = shop(spec, [here, there], status);
  const local = shop({ ...spec, externalTrafficPolicy: 'Local' }, [here, there], status);

  test('policy Cluster masquerades everybody', () => {
    const ask = { raws: cluster, to: 'tcp 192.0.2.10 80', from: 'outside 198.51.100.1' };
    expect(why(ask).slice(1)).toEqual([
      'Service web/shop: status.loadBalancer.ingress[].ip 192.0.2.10: the address of its load balancer',
      'Service web/shop: spec.ports[0].port tcp 80 (http): the Service port that it is for',
      'Service web/shop: spec.externalTrafficPolicy Cluster: endpoints on any node count',
      'Service web/shop: spec.externalTrafficPolicy Cluster: masqueraded: wherever the endpoint is, the answer must come back through this node',
    ]);
  });

  test('policy Local keeps the source of the outside', () => {
    const ask = { raws: local, to: 'tcp 203.0.113.5 80', from: 'outside 198.51.100.1' };
    expect(why(ask).slice(1)).toEqual([
      'Service web/shop: spec.externalIPs 203.0.113.5: an external address of it',
      'Service web/shop: spec.ports[0].port tcp 80 (http): the Service port that it is for',
      'Service web/shop: spec.externalTrafficPolicy Local: from outside, only endpoints on this node count',
      'Service web/shop: spec.externalTrafficPolicy Local: the endpoint is on this node, so the source address is kept',
    ]);
  });

  test('policy Local does not bind pods, nor this node', () => {
    const to = 'tcp 192.168.10.11 30080';
    expect(why({ raws: local, to }).slice(-2)).toEqual([
      'Service web/shop: spec.externalTrafficPolicy Local: does not bind pods and this node: they reach the endpoints of the whole cluster',
      'Service web/shop: spec.externalTrafficPolicy Local: from a pod, so the source address is kept',
    ]);
    const said = why({ raws: local, to, from: 'node 192.168.10.11' });
    expect(said.slice(0, 3)).toEqual([
      'this node: interface addresses 192.168.10.11: this node itself sends',
      'Service web/shop: spec.ports[0].nodePort tcp 30080: its node port',
      'configuration: nodePortAddresses primary: node ports answer at this address',
    ]);
    expect(said.slice(-2)).toEqual([
      'Service web/shop: spec.externalTrafficPolicy Local: does not bind pods and this node: they reach the endpoints of the whole cluster',
      'Service web/shop: spec.externalTrafficPolicy Local: from this node to endpoints anywhere, so masqueraded',
    ]);
  });

  test('source ranges', () => {
    const ranges = { ...spec, loadBalancerSourceRanges: ['198.51.100.0/24'] };
    const raws = shop(ranges, [here], status);
    const to = 'tcp 192.0.2.10 80';
    expect(why({ raws, to, from: 'outside 198.51.100.1' })).toEqual([
      noPod,
      'Service web/shop: status.loadBalancer.ingress[].ip 192.0.2.10: the address of its load balancer',
      'Service web/shop: spec.ports[0].port tcp 80 (http): the Service port that it is for',
      'Service web/shop: spec.loadBalancerSourceRanges 198.51.100.0/24: the sender may use this address',
      'Service web/shop: spec.externalTrafficPolicy Cluster: endpoints on any node count',
      'Service web/shop: spec.externalTrafficPolicy Cluster: masqueraded: wherever the endpoint is, the answer must come back through this node',
    ]);
    expect(why({ raws, to, from: 'outside 203.0.113.9' }).at(-1)).toBe(
      'Service web/shop: spec.loadBalancerSourceRanges 198.51.100.0/24: the sender is in none: dropped',
    );
  });

  test('iptables mode refuses, and does not drop, whom the ranges keep out of what nobody answers', () => {
    const raws = shop({ ...spec, loadBalancerSourceRanges: ['198.51.100.0/24'] }, [], status);
    const ask = { raws, to: 'tcp 192.0.2.10 80', from: 'outside 203.0.113.9' };
    const verdicts = (mode: ProxyMode) => {
      const { verdict, decided } = answerTo({ ...ask, mode });
      return [verdict, decided?.map((end) => end.verdict)];
    };
    expect(verdicts('nftables')).toEqual(['dropped', undefined]);
    expect(verdicts('iptables')).toEqual(['rejected', ['dropped']]);
  });
});
