// One Service as iptables units: its chains, and its entries for the dispatch trees. Pure; comments and
// rules are kube-proxy's.
import { frontendId } from '../../../model/forwarding.ts';
import type { Family } from '../../../model/ip.ts';
import { hostCidr } from '../../../model/ip.ts';
import { servicePortName } from '../../../model/kubernetes.ts';
import type { DispatchEntry, ServiceChain, ServiceRules } from '../../../model/ruleset.ts';
import { verdictTarget } from './rule.ts';
import { addressDigits } from '../dispatch/address-prefix.ts';
import type { TreeName } from '../dispatch/places.ts';
import { treeName } from '../dispatch/places.ts';
import { portDigits } from '../dispatch/port-prefix.ts';
import type { DispatchRule } from '../dispatch/tree.ts';
import { commentMatch, portMatch, ruleText } from '../rule-text.ts';
import type { PortChains } from './service-chains.ts';
import { firewallChain, portChains, servingChain } from './service-chains.ts';
import type { ChainUnit } from '../unit.ts';
import { chainUnit } from '../unit.ts';

/** What one Service needs: chains of its own, and its entries in each dispatch tree. */
export type ServiceUnits = {
  readonly chains: readonly ChainUnit[];
  readonly entries: ReadonlyMap<TreeName, readonly DispatchRule[]>;
};

/** The chains and entries of one Service. */
export function compileService({ service, family, entries }: ServiceRules): ServiceUnits {
  const { served, restricted } = addressesOf(entries);
  const chains = portsOf(entries, served).flatMap((port) => portChains(family, port));
  const rules = entries.flatMap((entry) => {
    const { dispatch, address } = entry;
    const id = frontendId(address);
    // What nothing answers is refused to everybody.
    const serving = served.get(id);
    if (dispatch === 'source-ranges' && serving === undefined) return [];
    const { ip } = address;
    const tree = treeName({ dispatch, by: ip === undefined ? 'node-port' : 'address' });
    const digits = ip === undefined ? portDigits(address) : addressDigits(ip);
    const firewall = serving && restricted.has(id) ? firewallChain(serving) : undefined;
    const text = entryText(family, entry, firewall);
    return [{ tree, rule: { address, digits, text } }];
  });
  const byTree = Map.groupBy(rules, ({ tree }) => tree);
  return {
    chains: chains.map(([chain, texts]) =>
      chainUnit('nat', chain, { rules: texts, owner: service }),
    ),
    entries: new Map([...byTree].map(([tree, found]) => [tree, found.map(({ rule }) => rule)])),
  };
}

type Addresses = {
  /** Those at which something answers, as frontendId has them, with what answers. */
  readonly served: ReadonlyMap<string, ServiceChain>;
  /** Those that not all may use. */
  readonly restricted: ReadonlySet<string>;
};

function addressesOf(entries: readonly DispatchEntry[]): Addresses {
  const of = (name: DispatchEntry['dispatch']): ReadonlyMap<string, ServiceChain> =>
    new Map(
      entries.flatMap(({ dispatch, address, to }) =>
        dispatch !== name || 'verdict' in to ? [] : [[frontendId(address), to]],
      ),
    );
  return { served: of('services'), restricted: new Set(of('source-ranges').keys()) };
}

/** The entries that lead to chains, Service port by Service port. */
function portsOf(entries: readonly DispatchEntry[], served: Addresses['served']): PortChains[] {
  const leading = entries.flatMap(({ address, why, to }) => {
    const serving = served.get(frontendId(address));
    return 'verdict' in to || serving === undefined ? [] : [{ why, to, serving }];
  });
  const byPort = Map.groupBy(leading, ({ to }) => `${to.protocol} ${to.portName}`);
  return [...byPort.values()].flatMap((chains) => {
    const [first] = chains;
    return first === undefined ? [] : [{ port: first.to, chains }];
  });
}

function entryText(
  family: Family,
  { address: { ip, protocol, port }, to, why }: DispatchEntry,
  firewall: string | undefined,
): string {
  const { jump, comment } =
    'verdict' in to
      ? { jump: verdictTarget(family, to.verdict), comment: why }
      : chainTarget(to, why, firewall);
  return ruleText({
    ...(ip === undefined ? {} : { destination: { value: hostCidr(ip), is: true } }),
    protocol,
    matches: [commentMatch(comment), portMatch(protocol, port)],
    jump,
  });
}

function chainTarget(
  to: ServiceChain,
  why: string,
  firewall: string | undefined,
): { readonly jump: string; readonly comment: string } {
  switch (to.kind) {
    case 'internal':
    case 'external':
      return { jump: firewall ?? servingChain(to), comment: why };
    case 'source-ranges': {
      // What the firewall chain let pass has another destination by then.
      const name = servicePortName(to.service, to.portName);
      const comment = `${name} traffic not accepted by ${firewall}`;
      return { jump: 'DROP', comment };
    }
    default:
      return to.kind satisfies never;
  }
}
