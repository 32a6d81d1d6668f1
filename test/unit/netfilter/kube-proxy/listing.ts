// A table of a few chains as nft lists it, to be read with one rule of a test's own.

/** Which table it is. */
export const table = { family: 'IPv4', name: 'kube-proxy' } as const;

/** What every item of it says. */
export const own = { family: 'ip', table: 'kube-proxy' };

/** A table with a filter chain at prerouting; `target` leads to a chain that drops. */
export function listing(expr: readonly object[], more: readonly object[] = []): string {
  return JSON.stringify({
    nftables: [
      { metainfo: { version: '1.1.3' } },
      { table: { family: 'ip', name: 'kube-proxy' } },
      { chain: { ...own, name: 'start', type: 'filter', hook: 'prerouting', prio: 0 } },
      { chain: { ...own, name: 'target' } },
      { rule: { ...own, chain: 'target', expr: [{ drop: null }] } },
      { rule: { ...own, chain: 'start', expr } },
      ...more,
    ],
  });
}
