// The rules that kube-proxy has for some Services, in each of its modes: what a real one had for others
// (test/fixtures/kube-proxy), with these Services in place of those. In: Services. Out: text for the tool.
import { hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { endpointChainName, serviceChainName } from '../../../src/backends/iptables/names.ts';
import type { ProxyMode } from '../../../src/model/config.ts';
import type { Ip } from '../../../src/model/ip.ts';
import { serviceKey } from '../../../src/model/kubernetes.ts';
import type { ServicePort } from './services.ts';
import { endpoints, namespace, podRange, ports, type BenchService } from './services.ts';

const fixtures = new URL('../../fixtures/kube-proxy/', import.meta.url);

/** What the mode's own tool (nft -f, iptables-restore) makes kube-proxy's IPv4 rules from. */
export async function kubeProxyRules(
  mode: ProxyMode,
  services: readonly BenchService[],
): Promise<string> {
  const file = mode === 'nftables' ? 'nftables.nft' : 'iptables.ipv4.rules';
  const text = await readFile(new URL(file, fixtures), 'utf8');
  const all = services.flatMap((service) => ports.map((port) => ({ service, port })));
  return mode === 'nftables' ? nftRules(text, all) : iptablesRules(text, all);
}

type Entry = { readonly service: BenchService; readonly port: ServicePort };

const ips = endpoints.map(({ address }) => address.ipv4);

function nftRules(fixture: string, entries: readonly Entry[]): string {
  const table = fixture.slice(0, fixture.indexOf('\n}\n'));
  // What belongs to one Service has its name in its own.
  const ofServices = /\n\t(?:chain|set) \S+\/\S+ \{\n.*?\n\t\}\n/gs;
  const containers = /(\n\t(?:set|map) (\S+) \{.*?)(?:\n\t\telements = \{[^}]*\})?(\n\t\})/gs;
  const elements = nftElements(entries);
  const frame = table
    .replaceAll(ofServices, '')
    .replaceAll(containers, (_, head: string, name: string, end: string) => {
      const own = elements.get(name) ?? [];
      return own.length === 0
        ? `${head}${end}`
        : `${head}\n\t\telements = { ${own.join(', ')} }${end}`;
    });
  return `${frame}\n${entries.map(nftChain).join('')}}\n`;
}

function nftElements(entries: readonly Entry[]): ReadonlyMap<string, readonly string[]> {
  const hairpin = ports.flatMap(({ targetPort }) =>
    ips.map((ip) => `${ip} . ${ip} . tcp . ${targetPort}`),
  );
  const dispatch = entries.map(
    (entry) =>
      `${entry.service.clusterIp} . tcp . ${entry.port.port} : goto ${nftChainName(entry)}`,
  );
  const clusterIps = new Set(entries.map(({ service }) => service.clusterIp));
  return new Map([
    ['hairpin-connections', hairpin],
    ['service-ips', dispatch],
    ['cluster-ips', [...clusterIps]],
  ]);
}

function nftChain(entry: Entry): string {
  const members = ips.map((ip, slot) => `${slot} : ${ip} . ${entry.port.targetPort}`);
  const map = `numgen random mod ${ips.length} map { ${members.join(', ')} }`;
  return `\tchain ${nftChainName(entry)} {\n\t\tmeta l4proto tcp dnat ip to ${map}\n\t}\n`;
}

const base32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

function nftChainName({ service, port }: Entry): string {
  const name = `${namespace}/${service.name}/tcp/${port.name}`;
  const bits = BigInt(`0x${hash('sha256', name).slice(0, 10)}`)
    .toString(2)
    .padStart(40, '0');
  const digits = bits.match(/.{5}/g) ?? [];
  return `service-${digits.map((digit) => base32[Number.parseInt(digit, 2)]).join('')}-${name}`;
}

function iptablesRules(fixture: string, entries: readonly Entry[]): string {
  const ofServices = /KUBE-(?:SVC|SVL|SEP|EXT|FW)-|"(?:conf|default)\//;
  const frame = fixture
    // The counters of nfacct are a kernel module of their own, which few kernels have.
    .replaceAll(/ -m nfacct --nfacct-name\s+\S+/g, '')
    .split('\n')
    .filter((line) => !ofServices.test(line))
    .join('\n');
  const own = entries.map(iptablesPort);
  const chains = own.flatMap((port) => port.chains).map((name) => `:${name} - [0:0]\n`);
  const rules = own.flatMap((port) => [port.dispatch, ...port.rules]).map((rule) => `${rule}\n`);
  const nodePorts = frame.split('\n').find((line) => line.includes('must be the last rule')) ?? '';
  return frame
    .replace('*nat\n', (start) => start + chains.join(''))
    .replace(`${nodePorts}\n`, (last) => rules.join('') + last);
}

function iptablesPort({ service, port }: Entry): IptablesPort {
  const id = {
    service: serviceKey(namespace, service.name),
    portName: port.name,
    protocol: 'tcp',
  } as const;
  const title = `${namespace}/${service.name}:${port.name}`;
  const comment = (text: string): string => `-m comment --comment "${text}"`;
  const to = `-d ${service.clusterIp}/32 -p tcp ${comment(`${title} cluster IP`)} -m tcp --dport ${port.port}`;
  const chain = serviceChainName('KUBE-SVC', id);
  const members = ips.map((ip) => ({
    target: `${ip}:${port.targetPort}`,
    ip,
    name: endpointChainName(id, {
      ip: ip as Ip,
      port: port.targetPort,
      isLocal: false,
    }),
  }));
  const balance = members.map(({ name, target }, index) => {
    const left = members.length - index;
    const chance =
      left === 1 ? '' : `-m statistic --mode random --probability ${(1 / left).toFixed(10)} `;
    return `-A ${chain} ${comment(`${title} -> ${target}`)} ${chance}-j ${name}`;
  });
  const translate = members.flatMap(({ name, ip, target }) => [
    `-A ${name} -s ${ip}/32 ${comment(title)} -j KUBE-MARK-MASQ`,
    `-A ${name} -p tcp ${comment(title)} -m tcp -j DNAT --to-destination ${target}`,
  ]);
  return {
    chains: [chain, ...members.map(({ name }) => name)],
    dispatch: `-A KUBE-SERVICES ${to} -j ${chain}`,
    rules: [`-A ${chain} ! -s ${podRange} ${to} -j KUBE-MARK-MASQ`, ...balance, ...translate],
  };
}

type IptablesPort = {
  readonly chains: readonly string[];
  readonly dispatch: string;
  readonly rules: readonly string[];
};
