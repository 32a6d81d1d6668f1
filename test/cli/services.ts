// The Services that the tests of the commands work on, the same after one edit, and what that edit
// looks like to people.
import type { ProxyMode } from '../../src/model/config.ts';
import { manifestOf, type ServiceSpec } from '../support/service-objects.ts';

const web: ServiceSpec = {
  name: 'web',
  ip: '10.96.0.10',
  endpoints: ['10.244.2.11', '10.244.2.12'],
};

// Beside web, one of as many endpoints as it has before the edit, and one of as many as after.
const others: readonly ServiceSpec[] = [
  { name: 'api', ip: '10.96.0.20', endpoints: ['10.244.2.21', '10.244.2.22'] },
  { name: 'dns', ip: '10.96.0.53', protocol: 'UDP', port: 53, endpoints: ['10.244.2.53'] },
  { name: 'idle', ip: '10.96.0.30', endpoints: [] },
  { name: 'mail', ip: '10.96.0.40', endpoints: ['10.244.2.41', '10.244.2.42', '10.244.2.43'] },
  { name: 'six', ip: 'fd00:96::60', endpoints: ['fd00:244:2::11'] },
];

export const manifest = manifestOf([web, ...others]);

/** The manifest with one more endpoint of `default/web`. */
export const editedManifest = manifestOf([
  { ...web, endpoints: [...web.endpoints, '10.244.2.13'] },
  ...others,
]);

/** The manifest without `default/api`, and one endpoint less of `default/mail`. */
export const lossyManifest = manifestOf([
  web,
  ...others
    .filter(({ name }) => name !== 'api')
    .map((one) => (one.name === 'mail' ? { ...one, endpoints: one.endpoints.slice(0, 2) } : one)),
]);

/** What `diff` says of the edit, up to the number of rules, which differs by mode. */
const editWords = `~ default/web: endpoint 10.244.2.13:8080 added, 3 instead of 2

`;
const summary = 'Services: 0 added, 1 changed, 0 removed; endpoints: 1 added, 0 removed; rules: ';

/** The rules behind the edit, as `diff --rules` shows them, and how many they are. */
const edits: Readonly<Record<ProxyMode, { readonly rules: string; readonly count: string }>> = {
  nftables: {
    rules: `default/web
  ~ IPv4 service-ips 10.96.0.10 . tcp . 80
      - service-ips { 10.96.0.10 . tcp . 80 comment "default/web" : goto KUBE-SVC-tcp-2 }
      + service-ips { 10.96.0.10 . tcp . 80 comment "default/web" : goto KUBE-SVC-tcp-3 }
  + IPv4 endpoints-tcp { 10.96.0.10 . 80 . 2 : 10.244.2.13 . 8080 }

`,
    count: '1 to add, 1 to change, 0 to remove',
  },
  iptables: {
    rules: `default/web
  ~ IPv4 nat KUBE-SVC-LOLE4ISW44XBNF3G
      - -A KUBE-SVC-LOLE4ISW44XBNF3G -m comment --comment "default/web -> 10.244.2.11:8080" -m statistic --mode random --probability 0.50000000000 -j KUBE-SEP-IDQDQQO4UFHKBJMQ
      - -A KUBE-SVC-LOLE4ISW44XBNF3G -m comment --comment "default/web -> 10.244.2.12:8080" -j KUBE-SEP-Q3DMFNEMESXUC7IT
      + -A KUBE-SVC-LOLE4ISW44XBNF3G -m comment --comment "default/web -> 10.244.2.11:8080" -m statistic --mode random --probability 0.33333333349 -j KUBE-SEP-IDQDQQO4UFHKBJMQ
      + -A KUBE-SVC-LOLE4ISW44XBNF3G -m comment --comment "default/web -> 10.244.2.12:8080" -m statistic --mode random --probability 0.50000000000 -j KUBE-SEP-Q3DMFNEMESXUC7IT
      + -A KUBE-SVC-LOLE4ISW44XBNF3G -m comment --comment "default/web -> 10.244.2.13:8080" -j KUBE-SEP-BXGIMPZQ6XCUK4PZ
  + IPv4 nat KUBE-SEP-BXGIMPZQ6XCUK4PZ
      -A KUBE-SEP-BXGIMPZQ6XCUK4PZ -s 10.244.2.13/32 -m comment --comment "default/web" -j KUBE-MARK-MASQ
      -A KUBE-SEP-BXGIMPZQ6XCUK4PZ -p tcp -m comment --comment "default/web" -m tcp -j DNAT --to-destination 10.244.2.13:8080

`,
    count: '1 to add, 1 to change, 0 to remove',
  },
};

/** What `diff` prints of the edit. */
export function editText(mode: ProxyMode): string {
  return `${editWords}${summary}${edits[mode].count}\n`;
}

/** What `diff --rules` prints of the edit. */
export function editTextWithRules(mode: ProxyMode): string {
  return `${editWords}${edits[mode].rules}${summary}${edits[mode].count}\n`;
}
