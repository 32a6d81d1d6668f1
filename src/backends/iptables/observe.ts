// What iptables-save prints, as a Program of our chains and the jumps to them. Everything else, the
// kubelet's chains among it, is passed over: what is not in the Program is never changed.
import type { ServiceKey } from '../../model/kubernetes.ts';
import { serviceKey } from '../../model/kubernetes.ts';
import type { TableName } from './names.ts';
import type { IptablesUnit } from './unit.ts';
import { chainUnit, jumpUnit } from './unit.ts';

// kube-proxy's chains are ours too: taking a node over, or cleaning it, deals with all of them.
// KUBE-FIREWALL, KUBE-KUBELET-CANARY and KUBE-IPTABLES-HINT are the kubelet's.
const ourNames: Readonly<Record<TableName, RegExp>> = {
  nat: /^KUBE-(SERVICES|NODEPORTS|POSTROUTING|MARK-MASQ|PROXY-CANARY|(SVCS|SVC|SVL|EXT|FW|SEP)-.+)$/,
  filter:
    /^KUBE-(SERVICES|EXTERNAL-SERVICES|FORWARD|NODEPORTS|PROXY-FIREWALL|PROXY-CANARY|SVCS-.+)$/,
};

/** A table as it is read: rules, without their `-A CHAIN`, by chain and by jump. */
type Reading = {
  readonly table: TableName;
  readonly builtIns: Set<string>;
  readonly chains: Map<string, string[]>;
  readonly jumps: Map<string, Jump>;
};
type Jump = { readonly chain: string; readonly target: string; readonly rules: string[] };

/** Reads iptables-save's output, of one table or of all. */
export function parseSaved(saved: string): ReadonlyMap<string, IptablesUnit> {
  const units = new Map<string, IptablesUnit>();
  let reading: Reading | undefined;
  for (const line of saved.split('\n')) {
    if (line.startsWith('*')) reading = startReading(line.slice(1));
    else if (reading === undefined) continue;
    else if (line.startsWith(':')) readChain(reading, line);
    else if (line === 'COMMIT') for (const unit of unitsOf(reading)) units.set(unit.id, unit);
    else if (line.includes('KUBE-')) readRule(reading, line);
  }
  return units;
}

function startReading(table: string): Reading | undefined {
  if (table !== 'nat' && table !== 'filter') return undefined;
  return { table, builtIns: new Set(), chains: new Map(), jumps: new Map() };
}

function readChain({ table, builtIns, chains }: Reading, line: string): void {
  const [name = '', policy] = line.slice(1).split(' ');
  if (policy !== '-') builtIns.add(name);
  else if (ourNames[table].test(name)) chains.set(name, []);
}

function readRule({ table, builtIns, chains, jumps }: Reading, line: string): void {
  const [, chain = '', rule = ''] = /^-A (\S+) (.*)$/.exec(normalise(line)) ?? [];
  const ours = chains.get(chain);
  if (ours !== undefined) {
    ours.push(rule);
    return;
  }
  const target = / -[jg] (\S+)$/.exec(` ${rule}`)?.[1] ?? '';
  if (!builtIns.has(chain) || !ourNames[table].test(target)) return;
  const jump = jumps.get(`${chain} ${target}`) ?? { chain, target, rules: [] };
  jump.rules.push(rule);
  jumps.set(`${chain} ${target}`, jump);
}

// Counters come with `iptables-save -c`; releases before 1.6 leave a blank at the end of some rules.
function normalise(line: string): string {
  return line.replace(/^\[\d+:\d+\] /, '').trimEnd();
}

function* unitsOf({ table, chains, jumps }: Reading): Generator<IptablesUnit> {
  for (const { chain, target, rules } of jumps.values()) {
    yield jumpUnit(table, chain, { target, rules });
  }
  for (const [chain, rules] of chains)
    yield chainUnit(table, chain, { rules, owner: ownerOf(chain, rules) });
}

const perServicePrefix = /^KUBE-(SVC|SVL|EXT|FW|SEP)-/;
// `ns/name`, alone or before `:port`, somewhere in a comment.
const serviceInComment =
  /--comment "(?:[^"/]* )?([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)\/([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)[: "]/;

function ownerOf(chain: string, rules: readonly string[]): ServiceKey | undefined {
  if (!perServicePrefix.test(chain)) return undefined;
  for (const rule of rules) {
    const [, namespace, name] = serviceInComment.exec(rule) ?? [];
    if (namespace !== undefined && name !== undefined) return serviceKey(namespace, name);
  }
  return undefined;
}
