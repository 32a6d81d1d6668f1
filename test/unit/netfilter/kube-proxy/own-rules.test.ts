// The same interpreter reads what we program: our rules, as each backend spells them, do what the tracer
// of the rule book says, in every scenario and for every client.
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Backend } from '../../../../src/backends/backend.ts';
import { frontendId } from '../../../../src/model/forwarding.ts';
import type { Family, Ip } from '../../../../src/model/ip.ts';
import { families, familyOf } from '../../../../src/model/ip.ts';
import { compare, packetsTo } from '../../../../src/netfilter/kube-proxy/compare.ts';
import { plan } from '../../../../src/netfilter/plan.ts';
import type { Unit } from '../../../../src/netfilter/program.ts';
import { trace } from '../../../../src/netfilter/trace.ts';
import { desiredOf } from '../../../../src/sync/offline.ts';
import type { Scenario } from '../../../scenarios/scenario.ts';
import { iptables, nftJson, readScenario } from '../../../scenarios/scenario.ts';
import { rulesetOf } from '../../../support/ruleset.ts';
import { clients, iptablesRules, nftRules } from './left-behind.ts';
import type { Rules } from './left-behind.ts';

const scenarios = join(import.meta.dirname, '../../../scenarios');
const names = globSync('*/cluster.yaml', { cwd: scenarios })
  .map((file) => file.split('/')[0] as string)
  .toSorted();

describe.each(names)('%s', async (name) => {
  const scenario = await readScenario(join(scenarios, name));

  test.each(families)('nftables, %s', (family) => {
    const listed = listingOf(rendering(nftJson, scenario, family));
    const { hostIps } = scenario;
    const options = { name: 'sluice', localIps: hostIps };
    checkRules(nftRules(listed, family, options), scenario, { mode: 'nftables', family });
  });

  test.each(families)('iptables, %s', (family) => {
    const saved = savedOf(rendering(iptables, scenario, family));
    checkRules(iptablesRules(saved, scenario.hostIps), scenario, { mode: 'iptables', family });
  });
});

function checkRules(
  rules: Rules,
  { objects, hostIps, config }: Scenario,
  { mode, family }: { readonly mode: 'nftables' | 'iptables'; readonly family: Family },
): void {
  const ruleset = rulesetOf(objects, { config: config(mode), family, hostIps });
  const entries = ruleset.services.flatMap((service) => service.entries);
  const wanted = entries.filter(({ dispatch }) => dispatch !== 'health-ports');
  const ids = new Set(wanted.map(({ address }) => frontendId(address)));
  expect(rules.addresses.map(frontendId)).toEqual([...ids].toSorted());
  const packets = [...packetsTo(rules.addresses, { clients, nodeIps: hostIps })].filter(
    ({ destination }) => familyOf(destination) === family,
  );
  const ours = (packet: (typeof packets)[number]) => trace(ruleset, packet);
  const differences = [...compare(packets, { theirs: rules.trace, ours })];
  expect(differences).toEqual([]);
}

function rendering<U extends Unit>(
  backend: Backend<U>,
  { objects, config, hostIps }: Scenario,
  family: Family,
): string {
  const from = {
    config: config(backend.name),
    families: [family],
    hostIps: (): readonly Ip[] => hostIps,
  };
  const [made] = desiredOf(backend, objects, from);
  return backend.encode(
    family,
    plan(new Map<string, U>(), made?.desired.whole() ?? new Map<string, U>()),
  );
}

type Content = Readonly<Record<string, unknown>> & { readonly name: string };
type Command = { readonly add?: Readonly<Record<string, Content>> };

/** Our commands as nft would list them: elements stand inside of their sets. */
function listingOf(commands: string): string {
  const { nftables } = JSON.parse(commands) as { nftables: readonly Command[] };
  const added = nftables.flatMap(({ add }) => (add === undefined ? [] : [add]));
  const elements = Map.groupBy(
    added.flatMap(({ element }) => element ?? []),
    (element) => element.name,
  );
  const filled = (container: Content): object => ({
    ...container,
    elem: (elements.get(container.name) ?? []).flatMap(({ elem }) => elem),
  });
  return JSON.stringify({
    nftables: added
      .filter(({ element }) => element === undefined)
      .map((item) => {
        if (item['set'] !== undefined) return { set: filled(item['set']) };
        return item['map'] === undefined ? item : { map: filled(item['map']) };
      }),
  });
}

/** Our input of iptables-restore as iptables-save would print it: chains first, jumps in their places. */
function savedOf(restore: string): string {
  const tables = new Map<string, { chains: Set<string>; rules: string[] }>();
  let table = { chains: new Set<string>(), rules: [] as string[] };
  for (const line of restore.split('\n')) {
    const [, chain = ''] = /^(?::|-[NAI] )(\S+)/.exec(line) ?? [];
    if (line.startsWith('*')) {
      table = tables.get(line) ?? { chains: new Set(), rules: [] };
      tables.set(line, table);
    } else if (chain !== '') table.chains.add(chain);
    if (line.startsWith('-A ')) table.rules.push(line);
    if (line.startsWith('-I ')) table.rules.unshift(line.replace(/^-I (\S+)(?: 1)? /, '-A $1 '));
  }
  const texts = [...tables].map(([header, { chains, rules }]) =>
    [header, ...[...chains].map((chain) => `:${chain} - [0:0]`), ...rules, 'COMMIT', ''].join('\n'),
  );
  return texts.join('');
}
