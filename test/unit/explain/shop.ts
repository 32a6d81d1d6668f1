// A node with one Service in a few words, and what explain answers there.
import { decisionText } from '../../../src/cli/explain/words.ts';
import { decodeAsides } from '../../../src/cluster/decode/aside.ts';
import { explain } from '../../../src/explain/explain.ts';
import type { Explanation } from '../../../src/explain/explanation.ts';
import { worldOf } from '../../../src/explain/world.ts';
import type { ProxyMode } from '../../../src/model/config.ts';
import { familyOf, parseIp, type Ip } from '../../../src/model/ip.ts';
import { configFor } from '../../support/config.ts';
import { decodeAll, packetOf } from '../../support/packets.ts';

const node = {
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'node-1', labels: { 'topology.kubernetes.io/zone': 'zone-a' } },
  spec: { podCIDRs: ['10.244.1.0/24'] },
  status: { addresses: [{ type: 'InternalIP', address: '192.168.10.11' }] },
};
const serviceCidr = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'ServiceCIDR',
  metadata: { name: 'kubernetes' },
  spec: { cidrs: ['10.96.0.0/16'] },
};

/** One entry of the slice, on node-1 unless told. */
export type Endpoint = {
  readonly ip: string;
  readonly on?: string;
  readonly conditions?: object;
  readonly hints?: object;
};

/** A Service `web/shop` and its slice. */
export function shop(
  spec: object,
  endpoints: readonly Endpoint[],
  status: object = {},
): readonly object[] {
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'shop', namespace: 'web' },
      spec: { clusterIP: '10.96.0.10', ports: [{ name: 'http', port: 80 }], ...spec },
      status,
    },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        name: 'shop-x',
        namespace: 'web',
        labels: { 'kubernetes.io/service-name': 'shop' },
      },
      addressType: 'IPv4',
      ports: [{ name: 'http', port: 8080 }],
      endpoints: endpoints.map(({ ip, on = 'node-1', conditions, hints }) => ({
        addresses: [ip],
        nodeName: on,
        ...(conditions === undefined ? {} : { conditions }),
        ...(hints === undefined ? {} : { hints }),
      })),
    },
  ];
}

/** What is asked, and of which objects. */
export type Ask = {
  readonly raws: readonly object[];
  readonly from?: string;
  readonly to: string;
  readonly mode?: ProxyMode;
  readonly flags?: readonly string[];
  readonly asides?: readonly object[];
};

const hostIps = ['192.168.10.11', '127.0.0.1', '::1'].map((text) => parseIp(text) as Ip);

/** The whole answer. */
export function answerTo({
  raws,
  from = 'pod 10.244.1.13',
  to,
  mode = 'nftables',
  flags,
  asides = [],
}: Ask): Explanation {
  const packet = packetOf(from, to);
  const config = configFor(mode, flags);
  const objects = decodeAll([node, serviceCidr, ...raws]);
  const inputs = { config, hostIps, asides: asides.flatMap(decodeAsides) };
  return explain(worldOf(objects, { ...inputs, family: familyOf(packet.destination) }), packet);
}

/** Its decisions in words. */
export function why(ask: Ask): readonly string[] {
  return answerTo(ask).decisions.map(decisionText);
}

/** An endpoint on this node, and one on another. */
export const here = { ip: '10.244.1.11' };
export const there = { ip: '10.244.2.11', on: 'node-2' };

export const toClusterIp = 'tcp 10.96.0.10 80';
