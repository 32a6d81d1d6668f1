// What kube-proxy in iptables mode writes for the same cluster at its start: the floor that the iptables
// backend is measured against. The layout is that of test/fixtures/kube-proxy, the nat table alone; as kube-proxy
// does where there are more than 1,000 endpoints, rules for endpoints have no comments.
import { endpointChainName, serviceChainName } from '../../../src/backends/iptables/names.ts';
import type { Ip } from '../../../src/model/ip.ts';
import { serviceKey } from '../../../src/model/kubernetes.ts';
import { clusterIp, endpointPort, endpointsOf, namespace } from './cluster.ts';
import { podRange, probeCount, servicePort } from './cluster.ts';

const mostWithComments = 1000;

/** The input for iptables-restore. */
export function kubeProxyLayout(services: number): string {
  const count = services - probeCount(services);
  const endpoints = Array.from({ length: count }, (_, index) => endpointsOf(index).length);
  const isLarge = endpoints.reduce((sum, each) => sum + each, 0) > mostWithComments;
  const pieces = Array.from({ length: count }, (_, index) => serviceLines(index, isLarge));
  const chains = pieces.flatMap((piece) => piece.chains).map((name) => `:${name} - [0:0]`);
  return [
    '*nat',
    ':KUBE-SERVICES - [0:0]',
    ':KUBE-POSTROUTING - [0:0]',
    ':KUBE-MARK-MASQ - [0:0]',
    ...chains,
    '-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
    '-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
    '-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING',
    '-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000',
    '-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN',
    '-A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0',
    '-A KUBE-POSTROUTING -j MASQUERADE --random-fully',
    ...pieces.map((piece) => piece.dispatch),
    ...pieces.flatMap((piece) => piece.rules),
    'COMMIT',
    '',
  ].join('\n');
}

type Lines = {
  readonly chains: readonly string[];
  readonly dispatch: string;
  readonly rules: readonly string[];
};

function serviceLines(index: number, isLarge: boolean): Lines {
  const name = `web-${index}`;
  const service = serviceKey(namespace, name);
  const id = { service, portName: 'http', protocol: 'tcp' } as const;
  const title = `${namespace}/${name}:http`;
  const comment = (text: string): string => `-m comment --comment "${text}"`;
  const aside = (text: string): string => (isLarge ? '' : `${comment(text)} `);
  const to = `-d ${clusterIp(index)}/32 -p tcp ${comment(`${title} cluster IP`)} -m tcp --dport ${servicePort}`;
  const chain = serviceChainName('KUBE-SVC', id);
  const members = endpointsOf(index).map((ip) => ({
    ip,
    chain: endpointChainName(id, { ip: ip as Ip, port: endpointPort, isLocal: false }),
  }));
  const balance = members.map((member, place) => {
    const left = members.length - place;
    const random = `-m statistic --mode random --probability ${(1 / left).toFixed(10)} `;
    const leads = aside(`${title} -> ${member.ip}:${endpointPort}`);
    return `-A ${chain} ${leads}${left === 1 ? '' : random}-j ${member.chain}`;
  });
  const translate = members.flatMap((member) => [
    `-A ${member.chain} -s ${member.ip}/32 ${aside(title)}-j KUBE-MARK-MASQ`,
    `-A ${member.chain} -p tcp ${aside(title)}-m tcp -j DNAT --to-destination ${member.ip}:${endpointPort}`,
  ]);
  return {
    chains: [chain, ...members.map((member) => member.chain)],
    dispatch: `-A KUBE-SERVICES ${to} -j ${chain}`,
    rules: [`-A ${chain} ! -s ${podRange} ${to} -j KUBE-MARK-MASQ`, ...balance, ...translate],
  };
}
