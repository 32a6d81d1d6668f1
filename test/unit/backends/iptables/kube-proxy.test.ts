// Our rules beside those that kube-proxy 1.36 made of the same objects: all that differs is named here.
import { describe, expect, test } from 'vitest';
import { createIptablesBackend } from '../../../../src/backends/iptables/backend.ts';
import { parseSaved } from '../../../../src/backends/iptables/read/observe.ts';
import type { IptablesUnit } from '../../../../src/backends/iptables/unit.ts';
import type { Family } from '../../../../src/model/ip.ts';
import { desiredOf } from '../../../../src/sync/offline.ts';
import { configFor } from '../../../support/config.ts';
import { objectsThen, savedThen } from './kube-proxy-node.ts';

const noTools = (): Promise<never> => Promise.reject(new Error('no tool is run here'));

function ourUnits(family: Family): readonly IptablesUnit[] {
  const backend = createIptablesBackend(noTools);
  const config = configFor('iptables');
  const from = { config, families: [family], hostIps: () => [] };
  const [made] = desiredOf(backend, objectsThen(), from);
  return [...(made?.desired.whole().values() ?? [])];
}

function itsUnits(family: Family): readonly IptablesUnit[] {
  return [...parseSaved(family, savedThen(family)).values()].filter(
    // Tells it of a flush; we look at all chains.
    ({ chain }) => chain !== 'KUBE-PROXY-CANARY',
  );
}

/** Chains that lead to those of Services, or to a verdict: lists there, trees here. */
const dispatching =
  /^KUBE-((EXTERNAL-)?(SERVICES|NODEPORTS)|PROXY-FIREWALL|(SVCS|NPS|EXTS|ENPS|FWS)-.+)$/;
const toBranch = /-j KUBE-((SVCS|NPS|EXTS|ENPS|FWS)-\S+|EXTERNAL-NODEPORTS)$/;

function isDispatching({ kind, chain }: IptablesUnit): boolean {
  return kind === 'chain' && dispatching.test(chain);
}

/** What is looked up in each chain that packets enter, wherever in its tree it stands. */
function entriesOf(units: readonly IptablesUnit[]): readonly string[] {
  const roots: Readonly<Record<string, string>> = {
    SVCS: 'SERVICES',
    NPS: 'NODEPORTS',
    EXTS: 'EXTERNAL-SERVICES',
    ENPS: 'EXTERNAL-SERVICES',
    'EXTERNAL-NODEPORTS': 'EXTERNAL-SERVICES',
    FWS: 'PROXY-FIREWALL',
  };
  return units
    .filter(isDispatching)
    .flatMap(({ table, text }) =>
      text === '' ? [] : text.split('\n').map((rule) => ({ table, rule })),
    )
    .filter(({ rule }) => !toBranch.test(rule))
    .map(({ table, rule }) => {
      const [, name = '', rest = ''] =
        /^-A KUBE-(EXTERNAL-NODEPORTS|SVCS|NPS|EXTS|ENPS|FWS|\S+)\S* (.*)$/.exec(rule) ?? [];
      const root = roots[name] ?? name;
      // That the address is this host's is asked once, before the tree.
      const isRefused = root === 'EXTERNAL-SERVICES';
      return `${table} ${root} ${isRefused ? rest.replace(' -m addrtype --dst-type LOCAL', '') : rest}`;
    })
    .toSorted();
}

describe.each(['IPv4', 'IPv6'] as const)('%s', (family) => {
  const [ours, its] = [ourUnits(family), itsUnits(family)];

  test('the chains of Services and the fixed ones are the same, byte for byte', () => {
    const chains = (units: readonly IptablesUnit[]): readonly string[] =>
      units
        .filter(
          (unit) => unit.kind === 'chain' && unit.chain !== 'KUBE-FIREWALL' && !isDispatching(unit),
        )
        .map(({ id, text }) => `${id}\n${text}`)
        .toSorted();
    expect(chains(its).length).toBe(family === 'IPv4' ? 118 : 10);
    expect(chains(ours)).toEqual(chains(its));
  });

  test('the same is looked up, in the same words', () => {
    expect(entriesOf(its).length).toBe(family === 'IPv4' ? 66 : 4);
    expect(entriesOf(ours)).toEqual(entriesOf(its));
  });

  test('the jumps are the same and end up in the same order', () => {
    const byChain = (units: readonly IptablesUnit[]) =>
      Map.groupBy(
        units.filter(({ kind, chain }) => kind !== 'chain' && !chain.startsWith('KUBE-')),
        ({ table, chain }) => `${table} ${chain}`,
      );
    const order = family === 'IPv4' ? /./ : /^(?!.*KUBE-FIREWALL)/;
    const texts = (entries: Iterable<readonly [string, readonly IptablesUnit[]]>) =>
      Object.fromEntries(
        [...entries].map(([chain, units]) => [
          chain,
          units.map(({ text }) => text).filter((text) => order.test(text)),
        ]),
      );
    expect(texts(byChain(ours))).toEqual(texts(readInOrder(family)));
  });

  test('what it shares with the kubelet is the same', () => {
    const shared = (units: readonly IptablesUnit[]) =>
      units.filter(({ chain }) => chain === 'KUBE-FIREWALL').map(({ id }) => id);
    // With localhost node ports: IPv4 alone. The chain of IPv6 there is somebody else's.
    if (family === 'IPv4') expect(shared(ours).toSorted()).toEqual(shared(its).toSorted());
    else expect(shared(ours)).toEqual([]);
  });

  test("its rules give way to ours in place: no chain of a Service's is written", () => {
    const known = new Set(its.map(({ id, text }) => `${id}\n${text}`));
    const written = ours.filter(({ id, text }) => !known.has(`${id}\n${text}`));
    expect(written.filter((unit) => !isDispatching(unit))).toEqual([]);
  });
});

/** The jumps of kube-proxy as they stand in each built-in chain. */
function readInOrder(family: Family): ReadonlyMap<string, readonly IptablesUnit[]> {
  const lines = savedThen(family).split('\n');
  const position = new Map(lines.map((line, index) => [line, index]));
  const jumps = itsUnits(family).filter(
    ({ kind, chain }) => kind !== 'chain' && !chain.startsWith('KUBE-'),
  );
  const sorted = jumps.toSorted(
    (a, b) => (position.get(a.text) ?? 0) - (position.get(b.text) ?? 0),
  );
  return Map.groupBy(sorted, ({ table, chain }) => `${table} ${chain}`);
}
