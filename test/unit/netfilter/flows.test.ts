// Which conntrack entries have to go: row by row, and for whatever happens in a cluster.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ClusterState } from '../../../src/cluster/state.ts';
import type { Frontend, Pool, ServiceForwarding } from '../../../src/model/forwarding.ts';
import { frontendId, hostPort } from '../../../src/model/forwarding.ts';
import type { Ip } from '../../../src/model/ip.ts';
import type { ClusterObject, Protocol } from '../../../src/model/kubernetes.ts';
import type { Flow } from '../../../src/netfilter/flows.ts';
import { flowJudge, touchedFrontends } from '../../../src/netfilter/flows.ts';
import { takesNodePorts } from '../../../src/model/settings.ts';
import { Desired } from '../../../src/sync/desired.ts';
import { configFor } from '../../support/config.ts';
import { batches } from '../../support/random-cluster.ts';
import { decoded, forwardingOf, rawSlice, serviceOf } from '../resolve/objects.ts';

const hostIps = ['127.0.0.1', '192.168.0.2'] as Ip[];
const node = '192.168.0.2' as Ip;

/** A flow as `udp DESTINATION -> WHAT ANSWERS`. */
function flowOf(text: string): Flow {
  const [protocol, to = '', , from = ''] = text.split(' ');
  const [destination, destinationPort] = to.split(':');
  const [replySource, replySourcePort] = from.split(':');
  return {
    protocol: protocol as Protocol,
    destination: destination as Ip,
    destinationPort: Number(destinationPort),
    replySource: replySource as Ip,
    replySourcePort: Number(replySourcePort),
  };
}

function judgeOf(before: readonly ServiceForwarding[], after: readonly ServiceForwarding[]) {
  const now = after.flatMap(({ frontends }) => frontends);
  return flowJudge(touchedFrontends([...before, ...after]), {
    frontendAt: (id) => now.find(({ address }) => frontendId(address) === id),
    takesNodePorts: (ip) => takesNodePorts({ kind: 'any-local', except: undefined }, ip, hostIps),
  });
}

const spec = {
  type: 'LoadBalancer',
  ports: [
    { port: 8000, protocol: 'UDP', nodePort: 32_000 },
    { name: 'sctp', port: 8000, protocol: 'SCTP' },
    { name: 'tcp', port: 8000, protocol: 'TCP' },
  ],
  externalIPs: ['203.0.113.1'],
};
const status = { loadBalancer: { ingress: [{ ip: '198.51.100.1' }] } };

/** What the Service means with these endpoints of its UDP port. */
function withEndpoints(endpoints: readonly string[], more = {}): readonly ServiceForwarding[] {
  const slice = rawSlice('s1', { protocol: 'UDP', ports: { '': 9090 }, endpoints });
  const own: ClusterObject = {
    kind: 'Service',
    id: 'ns/svc',
    value: serviceOf({ ...spec, ...more }, { status }),
  };
  return forwardingOf([own, decoded(slice)]);
}

const a = '10.1.0.1';
const unready = '10.1.0.2 unready not-serving';
const addresses = ['172.30.0.41', '203.0.113.1', '198.51.100.1'];

describe('a Service with a serving endpoint and one that does not serve', () => {
  const isStale = judgeOf([], withEndpoints([a, unready]));

  test.each(addresses)('keeps flows from %s to the endpoint', (ip) => {
    expect(isStale(flowOf(`udp ${ip}:8000 -> 10.1.0.1:9090`))).toBe(false);
  });
  test.each(addresses)('loses flows from %s to an old port of it', (ip) => {
    expect(isStale(flowOf(`udp ${ip}:8000 -> 10.1.0.1:8080`))).toBe(true);
  });
  test.each(addresses)('loses flows from %s to what does not serve, or is gone', (ip) => {
    expect(isStale(flowOf(`udp ${ip}:8000 -> 10.1.0.2:9090`))).toBe(true);
    expect(isStale(flowOf(`udp ${ip}:8000 -> 10.1.0.3:9090`))).toBe(true);
  });
  test.each(addresses)('has no say in flows to another port of %s', (ip) => {
    expect(isStale(flowOf(`udp ${ip}:3000 -> 10.1.0.3:9090`))).toBe(false);
    expect(isStale(flowOf(`udp ${ip}:3000 -> ${ip}:3000`))).toBe(false);
  });
  test.each(addresses)('loses flows to %s that were never translated', (ip) => {
    expect(isStale(flowOf(`udp ${ip}:8000 -> ${ip}:8000`))).toBe(true);
  });
  test.each(['192.168.0.2', '192.168.0.77'])('is at its node port of %s', (ip) => {
    expect(isStale(flowOf(`udp ${ip}:32000 -> 10.1.0.1:9090`))).toBe(false);
    expect(isStale(flowOf(`udp ${ip}:32000 -> 10.1.0.2:9090`))).toBe(true);
    expect(isStale(flowOf(`udp ${ip}:32000 -> 10.1.0.3:9090`))).toBe(true);
  });
  test('loses flows to its node port that were never translated, at the node alone', () => {
    expect(isStale(flowOf(`udp ${node}:32000 -> ${node}:32000`))).toBe(true);
    expect(isStale(flowOf('udp 192.0.2.1:32000 -> 192.0.2.1:32000'))).toBe(false);
  });
  test.each(addresses)('has no say in TCP flows at %s', (ip) => {
    expect(isStale(flowOf(`tcp ${ip}:8000 -> 10.1.0.3:9090`))).toBe(false);
    expect(isStale(flowOf(`tcp ${ip}:8000 -> ${ip}:8000`))).toBe(false);
  });
  test('loses SCTP flows as it does UDP ones', () => {
    expect(isStale(flowOf('sctp 172.30.0.41:8000 -> 10.1.0.3:9090'))).toBe(true);
  });
});

describe('what happens to a Service', () => {
  const toGone = flowOf('udp 172.30.0.41:8000 -> 10.1.0.1:9090');
  const untranslated = flowOf('udp 172.30.0.41:8000 -> 172.30.0.41:8000');

  test('that is deleted: flows to its endpoints go', () => {
    const isStale = judgeOf(withEndpoints([a]), []);
    expect([toGone, untranslated].map(isStale)).toEqual([true, false]);
    expect(isStale(flowOf(`udp ${node}:32000 -> 10.1.0.1:9090`))).toBe(true);
  });
  test('that loses its last endpoint: flows to it go', () => {
    const isStale = judgeOf(withEndpoints([a]), withEndpoints([]));
    expect([toGone, untranslated].map(isStale)).toEqual([true, false]);
  });
  test('that gets its first endpoint: what was never translated goes', () => {
    const isStale = judgeOf(withEndpoints([]), withEndpoints([a]));
    expect([toGone, untranslated].map(isStale)).toEqual([false, true]);
  });
  test('whose port or node port moves: flows at the old one go', () => {
    const moved = { ports: [{ port: 8001, protocol: 'UDP', nodePort: 32_001 }] };
    const isStale = judgeOf(withEndpoints([a]), withEndpoints([a], moved));
    expect(isStale(toGone)).toBe(true);
    expect(isStale(flowOf(`udp ${node}:32000 -> 10.1.0.1:9090`))).toBe(true);
    expect(isStale(flowOf(`udp ${node}:32001 -> 10.1.0.1:9090`))).toBe(false);
  });
  test('whose endpoint is ending but still serves: its flows stay', () => {
    const ending = withEndpoints(['10.1.0.1 unready terminating', '10.1.0.4']);
    expect(judgeOf(withEndpoints([a]), ending)(toGone)).toBe(false);
    const ended = withEndpoints(['10.1.0.1 unready not-serving terminating', '10.1.0.4']);
    expect(judgeOf(withEndpoints([a]), ended)(toGone)).toBe(true);
  });
  test('whose endpoint is not the nearest any more: its flows stay', () => {
    const other = withEndpoints(['10.1.0.1 zone=b', '10.1.0.4 zone=a']);
    expect(judgeOf(withEndpoints([a]), other)(toGone)).toBe(false);
  });
  test('of external policy Local: flows to here and those of pods to elsewhere stay', () => {
    const local = { externalTrafficPolicy: 'Local' };
    const isStale = judgeOf([], withEndpoints(['10.1.0.1@node-1', '10.1.0.2@node-2'], local));
    for (const endpoint of ['10.1.0.1:9090', '10.1.0.2:9090']) {
      expect(isStale(flowOf(`udp ${node}:32000 -> ${endpoint}`))).toBe(false);
    }
  });
  test('of internal policy Local: flows to elsewhere go, those to here stay', () => {
    const local = { internalTrafficPolicy: 'Local' };
    const isStale = judgeOf([], withEndpoints(['10.1.0.1@node-1', '10.1.0.2@node-2'], local));
    expect(isStale(toGone)).toBe(false);
    expect(isStale(flowOf('udp 172.30.0.41:8000 -> 10.1.0.2:9090'))).toBe(true);
  });
  test('without endpoints all the time: nothing goes that was never translated', () => {
    expect(judgeOf([], withEndpoints([]))(untranslated)).toBe(false);
  });
  test('that is not touched: nothing goes', () => {
    const isStale = flowJudge(new Set(), {
      frontendAt: () => undefined,
      takesNodePorts: () => true,
    });
    expect(isStale(toGone)).toBe(false);
  });
});

test('a node port has no say in what another Service has at an address of its own', () => {
  const other = serviceOf({
    clusterIP: '172.30.0.99',
    ports: [{ port: 32_000, protocol: 'UDP' }],
  });
  const slice = rawSlice('o1', { protocol: 'UDP', ports: { '': 53 }, endpoints: ['10.1.0.9'] });
  const beside = forwardingOf([
    { kind: 'Service', id: 'ns/svc', value: other },
    decoded(slice),
  ]).flatMap(({ frontends }) => frontends);
  const ours = withEndpoints([a]);
  const now = [...ours.flatMap(({ frontends }) => frontends), ...beside];
  const isStale = flowJudge(touchedFrontends(ours), {
    frontendAt: (id) => now.find(({ address }) => frontendId(address) === id),
    takesNodePorts: (ip) => ip === node,
  });
  expect(isStale(flowOf('udp 172.30.0.99:32000 -> 10.1.0.9:53'))).toBe(false);
  expect(isStale(flowOf('udp 172.30.0.98:32000 -> 10.1.0.9:53'))).toBe(true);
});

const flow: fc.Arbitrary<Flow> = fc
  .record({
    protocol: fc.constantFrom<Protocol>('udp', 'udp', 'sctp', 'tcp'),
    destination: fc.constantFrom(
      ...(['10.96.0.1', '10.96.0.2', '203.0.113.1', '198.51.100.1', node, '192.0.2.9'] as Ip[]),
    ),
    destinationPort: fc.constantFrom(1, 2, 3, 4, 30_001, 30_002),
    replySource: fc.constantFrom(...(['10.244.1.1', '10.244.1.2', '10.244.1.3'] as Ip[])),
    replySourcePort: fc.integer({ min: 1, max: 4 }),
    isTranslated: fc.constantFrom(true, true, true, false),
  })
  .map(({ isTranslated, ...rest }) =>
    isTranslated
      ? rest
      : { ...rest, replySource: rest.destination, replySourcePort: rest.destinationPort },
  );

describe('whatever happens in a cluster', () => {
  /** Where the rules would send the packet that began a flow: by brute force, from all frontends. */
  function meets(frontends: readonly Frontend[], to: Flow): Frontend | undefined {
    const isMet = ({ address: { ip, protocol, port } }: Frontend, wanted: Ip | undefined) =>
      ip === wanted && protocol === to.protocol && port === to.destinationPort;
    return (
      frontends.find((frontend) => isMet(frontend, to.destination)) ??
      frontends.find((frontend) => isMet(frontend, undefined))
    );
  }

  function poolsOf({ route }: Frontend): readonly Pool[] {
    return route.kind === 'forward-local' ? [route.pool, route.cluster] : [route.pool];
  }

  function isMember(frontend: Frontend, endpoint: string): boolean {
    const members = poolsOf(frontend).flatMap((pool) => pool.members);
    return members.some(({ ip, port }) => hostPort(ip, port) === endpoint);
  }

  function isSpared(frontend: Frontend, of: string): boolean {
    const spared = ['terminating-beside-ready', 'other-zone', 'other-node'];
    const skipped = poolsOf(frontend).flatMap((pool) => pool.skipped);
    return skipped.some(
      ({ endpoint: { ip, port }, reason }) =>
        hostPort(ip, port) === of && spared.includes(reason.kind),
    );
  }

  /** Flows from each frontend to all that its pools name. */
  function flowsOf(frontends: readonly Frontend[]): readonly Flow[] {
    return frontends.flatMap((frontend) =>
      poolsOf(frontend)
        .flatMap(({ members, skipped }) => [...members, ...skipped.map((each) => each.endpoint)])
        .map((endpoint) => ({
          protocol: frontend.address.protocol,
          destination: frontend.address.ip ?? node,
          destinationPort: frontend.address.port,
          replySource: endpoint.ip,
          replySourcePort: endpoint.port,
        })),
    );
  }

  /** Whether a translated flow has to go; `touched` tells of ids. */
  function mustGo(
    each: Flow,
    { frontends, touched }: { frontends: readonly Frontend[]; touched: ReadonlySet<string> },
  ): boolean {
    const endpoint = hostPort(each.replySource, each.replySourcePort);
    const met = meets(frontends, each);
    if (met !== undefined && (isMember(met, endpoint) || isSpared(met, endpoint))) return false;
    const [isAddress, isNode] = [each.destination, undefined].map((ip) =>
      touched.has(frontendId({ ip, protocol: each.protocol, port: each.destinationPort })),
    );
    return isAddress === true || (isNode === true && met?.address.ip === undefined);
  }

  test('no flow goes that the rules could make, and every other one of a touched frontend does', () => {
    const config = configFor('iptables');
    const seen = { gone: 0, kept: 0 };
    const property = fc.property(batches, fc.array(flow, { minLength: 20 }), (history, others) => {
      const state = new ClusterState('node-1');
      const inputs = { config, state, hostIps: () => hostIps };
      const desired = new Desired({ assemble: () => emptyAssembly }, 'IPv4', inputs);
      for (const changes of history) {
        const earlier = [...desired.decisions.forwarding()].flatMap((each) => each.frontends);
        const { services, settings } = state.apply(changes);
        if (settings) desired.rebuild();
        else desired.update(services);
        const { before, after } = desired.settle();
        const touched = touchedFrontends([...before, ...after]);
        const isStale = flowJudge(touched, {
          frontendAt: (id) => desired.decisions.frontendAt(id),
          takesNodePorts: (ip) => takesNodePorts(desired.settings.nodePorts, ip, hostIps),
        });
        const frontends = [...desired.decisions.forwarding()].flatMap((each) => each.frontends);
        const flows = [...flowsOf([...earlier, ...frontends]), ...others];
        const translated = flows.filter((each) => each.replySource !== each.destination);
        const expected = translated.filter((each) => mustGo(each, { frontends, touched }));
        expect(translated.filter(isStale)).toEqual(expected);
        seen.gone += expected.length;
        seen.kept += translated.length - expected.length;
        const untouched = flows.filter((each) => each.replySource === each.destination);
        const kept = untouched.filter((each) => meets(frontends, each) === undefined);
        expect(kept.filter(isStale)).toEqual([]);
      }
    });
    fc.assert(property, { numRuns: 300, seed: 7 });
    // The random clusters and flows do meet.
    expect(Math.min(seen.gone, seen.kept)).toBeGreaterThan(500);
  });
});

const emptyAssembly = {
  replace: () => ({ before: new Map(), after: new Map() }),
  units: () => [],
  whole: () => new Map(),
};
