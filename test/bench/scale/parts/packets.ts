// What a new flow costs: on a node without a proxy, with Sluice's rules, and with those of kube-proxy.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { manifestText } from '../cluster/manifest.ts';
import { objectsOf } from '../cluster/objects.ts';
import { servicesOf, type BenchService } from '../cluster/services.ts';
import type { PartOptions } from '../figure.ts';
import { kubeProxyNft } from '../kube-proxy-nft.ts';
import { flowKinds, type FlowKind } from '../packets/flows.ts';
import { measurePackets, noProxy, type FlowTimes } from '../packets/measure.ts';
import { renderRules } from '../rules.ts';

const rounds = 40;
// kube-proxy's layout has a chain and an anonymous map for each port, and a set for each endpoint of a Service
// with affinity: the kernel takes a time to load them that grows with the square of their number.
const mostForKubeProxy = 10_000;

/** Measures it at each size. */
export async function packets(options: PartOptions): Promise<void> {
  for (const size of options.sizes) {
    const services = servicesOf({ kind: 'yardstick' }, size);
    const found = await measurePackets({
      services,
      rules: await rulesOf(services, options),
      rounds: Math.ceil(rounds * options.share),
    });
    const timesOf = (layout: Layout): FlowTimes => found.get(layout) ?? new Map();
    sayTimes(size, found, options);
    sayRatios(size, { none: timesOf('no proxy'), sluice: timesOf('Sluice') }, options);
    sayAgainst(size, { sluice: timesOf('Sluice'), kubeProxy: timesOf('kube-proxy') }, options);
  }
}

type Layout = 'no proxy' | 'Sluice' | 'kube-proxy';

async function rulesOf(
  services: readonly BenchService[],
  options: PartOptions,
): Promise<ReadonlyMap<Layout, string>> {
  const written = async (name: string, text: string): Promise<string> => {
    const file = join(options.folder, name);
    await writeFile(file, text);
    return file;
  };
  const none = await written('no-proxy.nft', noProxy);
  const sluice =
    options.rules ?? (await renderRules(manifestText(objectsOf(services), 'json'), options));
  const rules = new Map<Layout, string>([
    ['no proxy', none],
    ['Sluice', sluice],
  ]);
  if (services.length > mostForKubeProxy) return rules;
  return rules.set('kube-proxy', await written('kube-proxy.nft', kubeProxyNft(services)));
}

function sayTimes(
  services: number,
  found: ReadonlyMap<Layout, FlowTimes>,
  { say }: PartOptions,
): void {
  for (const kind of flowKinds) {
    for (const [layout, times] of found) {
      const value = times.get(kind);
      if (value === undefined) continue;
      say({ name: `new flow ${kind}, ${layout}`, services, unit: 'us', value, bound: undefined });
    }
  }
}

const past: FlowKind = 'past all Services';

function sayRatios(
  services: number,
  { none, sluice }: { readonly none: FlowTimes; readonly sluice: FlowTimes },
  { say }: PartOptions,
): void {
  const [alone = Number.NaN, passing = Number.NaN] = [none.get(past), sluice.get(past)];
  const ratio = { services, unit: 'x', bound: 1.2 } as const;
  say({ ...ratio, name: `new flow ${past}: over no proxy`, value: passing / alone });
  for (const kind of ['to a Service, by endpoints', 'to a Service, each alike'] as const) {
    const value = (sluice.get(kind) ?? Number.NaN) / passing;
    say({ ...ratio, name: `new flow ${kind}: over past`, value });
  }
}

function sayAgainst(
  services: number,
  { sluice, kubeProxy }: { readonly sluice: FlowTimes; readonly kubeProxy: FlowTimes },
  { say }: PartOptions,
): void {
  for (const [kind, theirs] of kubeProxy) {
    const value = (sluice.get(kind) ?? Number.NaN) / theirs;
    const name = `new flow ${kind}: over kube-proxy`;
    say({ name, services, unit: 'x', value, bound: 1 });
  }
}
