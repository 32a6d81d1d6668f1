// Settings of the kernel without which Service traffic does not get through, or gets through that should
// not.
import { traitsOf } from '../../backends/traits.ts';
import type { NodeFacts } from '../../host/node-facts.ts';
import type { Check, Finding } from '../../host/finding.ts';

/** A setting that should have another value. */
type Demand = {
  readonly check: string;
  readonly name: string;
  readonly isGood: (value: string) => boolean;
  readonly good: string;
  readonly status: 'warn' | 'fail';
  readonly why: string;
};

function judge({ sysctls }: NodeFacts, { check, name, isGood, ...rest }: Demand): Finding {
  const value = sysctls.get(name);
  if (value === undefined) return { check, status: 'unknown', finding: `${name} cannot be read` };
  const finding = `${name} = ${value}`;
  if (isGood(value)) return { check, status: 'ok', finding };
  const fix = `sysctl -w ${name}=${rest.good}`;
  return { check, status: rest.status, finding: `${finding}: ${rest.why}`, fix };
}

const is =
  (wanted: string) =>
  (value: string): boolean =>
    value === wanted;

export const forwardingCheck: Check = (facts) => [
  judge(facts, {
    check: 'forwarding',
    name: 'net.ipv4.ip_forward',
    isGood: is('1'),
    good: '1',
    status: 'fail',
    why: 'packets of pods and from outside do not reach endpoints',
  }),
  ...(facts.hasIpv6
    ? [
        judge(facts, {
          check: 'forwarding',
          name: 'net.ipv6.conf.all.forwarding',
          isGood: is('1'),
          good: '1',
          status: 'fail',
          why: 'this node has IPv6 addresses, and does not forward IPv6',
        }),
      ]
    : []),
];

// The stricter of an interface's own value and that of all counts, 2 (loose) as stricter than 1.
export const reversePathCheck: Check = ({ sysctls }) => {
  const check = 'rp_filter';
  const all = 'net.ipv4.conf.all.rp_filter';
  const value = sysctls.get(all);
  if (value === undefined) return [{ check, status: 'unknown', finding: `${all} cannot be read` }];
  const strict = [...sysctls].find(
    ([name, own]) =>
      own === '1' && name.endsWith('.rp_filter') && !/\.(lo|default)\.rp_filter$/.test(name),
  );
  if (strict === undefined || value === '2') {
    return [{ check, status: 'ok', finding: `${all} = ${value}` }];
  }
  const finding = `${strict[0]} = 1: answers that come in by another interface than requests left by are dropped`;
  return [{ check, status: 'warn', finding, fix: `sysctl -w ${all}=2` }];
};

/** Bridges that pod networks make. */
const podBridge = /^(cni\d*|cbr\d+|kube-bridge|docker0|br-.+)$/;

export const bridgeCheck: Check = (facts) => {
  const { interfaces, sysctls, hasIpv6 } = facts;
  const check = 'bridges';
  if (interfaces === undefined)
    return [{ check, status: 'unknown', finding: 'ip link does not tell' }];
  const bridges = interfaces.filter(({ name, kind }) => kind === 'bridge' && podBridge.test(name));
  const [bridge] = bridges;
  if (bridge === undefined) return [{ check, status: 'ok', finding: 'no pods behind a bridge' }];
  const why = `a pod behind ${bridge.name} does not reach a Service whose endpoint is behind it too`;
  const names = ['iptables', ...(hasIpv6 ? ['ip6tables'] : [])];
  if (!sysctls.has('net.bridge.bridge-nf-call-iptables')) {
    const finding = `br_netfilter is not loaded: ${why}`;
    return [{ check, status: 'warn', finding, fix: 'modprobe br_netfilter' }];
  }
  return names.map((tool) => {
    const name = `net.bridge.bridge-nf-call-${tool}`;
    return judge(facts, { check, name, isGood: is('1'), good: '1', status: 'warn', why });
  });
};

export const localnetCheck: Check = (facts, { proxyMode }) => {
  // Sluice sets it where node ports at 127.0.0.1 are asked for, and guards against strangers.
  if (traitsOf(proxyMode).hasLocalhostNodePorts) return [];
  return [
    judge(facts, {
      check: 'route_localnet',
      name: 'net.ipv4.conf.all.route_localnet',
      isGood: is('0'),
      good: '0',
      status: 'warn',
      why: 'neighbours reach what listens at 127.0.0.1 alone (CVE-2020-8558), and nothing here needs it',
    }),
  ];
};

/** The settings that these and nodePortsCheck look at. */
export const sysctlNames = [
  'net.ipv4.ip_forward',
  'net.ipv6.conf.all.forwarding',
  'net.ipv4.conf.*.rp_filter',
  'net.ipv4.conf.all.route_localnet',
  'net.bridge.bridge-nf-call-iptables',
  'net.bridge.bridge-nf-call-ip6tables',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_local_reserved_ports',
] as const;
