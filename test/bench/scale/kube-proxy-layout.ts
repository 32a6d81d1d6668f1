// What kube-proxy in iptables mode writes for the same cluster at its start: the floor that the iptables
// backend is measured against. The layout is that of test/fixtures/kube-proxy, the nat table and cluster IPs
// alone, without affinity; as kube-proxy does where there are more than 1,000 endpoints, rules for endpoints
// have no comments. Pure.
import { endpointChainName, serviceChainName } from '../../../src/backends/iptables/names.ts';
import type { Ip } from '../../../src/model/ip.ts';
import { serviceKey } from '../../../src/model/kubernetes.ts';
import { endpointIp, endpointsOf, podRange } from './cluster/services.ts';
import type { BenchService, ServicePort } from './cluster/services.ts';

const mostWithComments = 1000;

/** The input for iptables-restore. */
export function kubeProxyLayout(services: readonly BenchService[]): string {
  const endpoints = services.reduce((sum, { size, ports }) => sum + size * ports.length, 0);
  const isLarge = endpoints > mostWithComments;
  const pieces = services.flatMap((service) =>
    service.ports.map((port) => portLines(service, port, isLarge)),
  );
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

function portLines(service: BenchService, port: ServicePort, isLarge: boolean): Lines {
  const { name, namespace, clusterIps } = service;
  const { targetPort } = port;
  const protocol = port.protocol === 'TCP' ? 'tcp' : 'udp';
  const id = { service: serviceKey(namespace, name), portName: port.name, protocol } as const;
  const title = `${namespace}/${name}:${port.name}`;
  const comment = (text: string): string => `-m comment --comment "${text}"`;
  const aside = (text: string): string => (isLarge ? '' : `${comment(text)} `);
  const to = `-d ${clusterIps[0]}/32 -p ${protocol} ${comment(`${title} cluster IP`)} -m ${protocol} --dport ${port.port}`;
  const chain = serviceChainName('KUBE-SVC', id);
  const members = endpointsOf(service)
    .map(endpointIp)
    .map((ip) => ({
      ip,
      chain: endpointChainName(id, { ip: ip as Ip, port: targetPort, isLocal: false }),
    }));
  const balance = members.map((member, place) => {
    const left = members.length - place;
    const random = `-m statistic --mode random --probability ${(1 / left).toFixed(10)} `;
    const leads = aside(`${title} -> ${member.ip}:${targetPort}`);
    return `-A ${chain} ${leads}${left === 1 ? '' : random}-j ${member.chain}`;
  });
  const translate = members.flatMap((member) => [
    `-A ${member.chain} -s ${member.ip}/32 ${aside(title)}-j KUBE-MARK-MASQ`,
    `-A ${member.chain} -p ${protocol} ${aside(title)}-m ${protocol} -j DNAT --to-destination ${member.ip}:${targetPort}`,
  ]);
  return {
    chains: [chain, ...members.map((member) => member.chain)],
    dispatch: `-A KUBE-SERVICES ${to} -j ${chain}`,
    rules: [`-A ${chain} ! -s ${podRange} ${to} -j KUBE-MARK-MASQ`, ...balance, ...translate],
  };
}
