// What the iptables of this node let through FORWARD, besides kube-proxy's rules and ours: read for all modes, as
// rules of others act on packets whatever programmed the Services.
import { MissingToolError, ToolError } from '../../../errors.ts';
import { readDevices } from '../../../host/network/routes.ts';
import type { Exec } from '../../../host/tools/exec.ts';
import type { Family, Ip } from '../../../model/ip.ts';
import type { ForwardPath } from '../../../netfilter/kube-proxy/forward-filter.ts';
import { readForwardFilter } from '../../../netfilter/kube-proxy/forward-filter.ts';
import { places, tools } from '../variant.ts';

/** The way through FORWARD of one family, in every iptables that is installed and can be read. */
export async function readForwardPath(
  exec: Exec,
  family: Family,
  hostIps: readonly Ip[],
): Promise<ForwardPath> {
  const both = [places.nf_tables, places.legacy].map((place) => saved(exec, place.tools[family]));
  const found = (await Promise.all(both)).filter((text) => text !== undefined);
  const texts = found.length > 0 ? found : [(await saved(exec, tools[family])) ?? ''];
  const filters = texts.flatMap((text) => readForwardFilter(text) ?? []);
  const deviceTo = filters.length === 0 ? () => undefined : await readDevices(exec, family);
  return { filters, hostIps, deviceTo };
}

// Without `-t`, which would have legacy iptables make the table.
async function saved(exec: Exec, tool: string): Promise<string | undefined> {
  try {
    return (await exec(`${tool}-save`, [])).stdout;
  } catch (error) {
    if (error instanceof MissingToolError || error instanceof ToolError) return undefined;
    throw error;
  }
}
