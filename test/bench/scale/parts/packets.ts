// What a new flow costs: on a node without a proxy, with Sluice's rules, and with those of kube-proxy.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { clusterOf, type Cluster } from '../cluster/cluster.ts';
import type { PartOptions } from '../figure.ts';
import { kubeProxyNft } from '../kube-proxy-nft.ts';
import { flowKinds, type FlowKind } from '../packets/flows.ts';
import { measurePackets, noProxy, type PacketTimes } from '../packets/measure.ts';
import { renderRules } from '../rules.ts';

const rounds = 30;
// kube-proxy's layout has a chain and an anonymous map for each port: the kernel takes a time to load them
// that grows with the square of their number.
const mostForKubeProxy = 10_000;

/** Measures it at each size. */
export async function packets(options: PartOptions): Promise<void> {
  for (const size of options.sizes([300, 10_000, 50_000], [300, 1000])) {
    const spec = { shape: { kind: 'yardstick' }, services: size, hasProbes: false } as const;
    const cluster = clusterOf(spec);
    const found = await measurePackets({
      services: cluster.services,
      rules: await rulesOf(cluster, options),
      rounds: Math.ceil(rounds * options.share),
    });
    sayTimes(size, found, options);
    sayRatios(size, found, options);
  }
}

type Layout = 'no proxy' | 'Sluice' | 'kube-proxy';

async function rulesOf(
  cluster: Cluster,
  options: PartOptions,
): Promise<ReadonlyMap<Layout, string>> {
  const written = async (name: string, text: string): Promise<string> => {
    const file = join(options.folder, name);
    await writeFile(file, text);
    return file;
  };
  const none = await written('no-proxy.nft', noProxy);
  const sluice = options.rules ?? (await renderRules(cluster, options));
  const rules = new Map<Layout, string>([
    ['no proxy', none],
    ['Sluice', sluice],
  ]);
  if (cluster.services.length > mostForKubeProxy) return rules;
  const kubeProxy = await written('kube-proxy.nft', kubeProxyNft(cluster.services));
  return rules.set('kube-proxy', kubeProxy);
}

// A flow costs what its client takes to send it, and what the node takes to pass it on.
function sayTimes(
  services: number,
  { flows, client }: PacketTimes<Layout>,
  { say }: PartOptions,
): void {
  const unit = 'us';
  for (const kind of flowKinds) {
    for (const [layout, times] of flows) {
      const node = times.get(kind);
      if (node === undefined) continue;
      const note = `${node.toFixed(2)} in the node alone`;
      const name = `new flow ${kind}, ${layout}`;
      say({ name, services, unit, value: client + node, bound: undefined, note });
    }
  }
}

const past: FlowKind = 'past all Services';

function sayRatios(
  services: number,
  { flows, client }: PacketTimes<Layout>,
  { say }: PartOptions,
): void {
  type At = readonly [Layout, FlowKind];
  const nodeOf = ([layout, kind]: At): number => flows.get(layout)?.get(kind) ?? Number.NaN;
  const ratio = (name: string, bound: number, over: At, under: At): void => {
    const [upper, lower] = [nodeOf(over), nodeOf(under)];
    const value = (client + upper) / (client + lower);
    const note = `${(upper / lower).toFixed(2)} in the node alone`;
    say({ name: `new flow ${name}`, services, unit: 'x', value, bound, note });
  };
  ratio(`${past}: over no proxy`, 1.2, ['Sluice', past], ['no proxy', past]);
  for (const kind of ['to a Service, by endpoints', 'to a Service, each alike'] as const) {
    ratio(`${kind}: over past`, 1.2, ['Sluice', kind], ['Sluice', past]);
  }
  for (const kind of flows.get('kube-proxy')?.keys() ?? []) {
    ratio(`${kind}: over kube-proxy`, 1, ['Sluice', kind], ['kube-proxy', kind]);
  }
}
