// Versions of kernels and tools, as they print them.

/** Major, minor, patch. */
export type Version = readonly number[];

/** The first version in a text: `nftables v1.0.6 (Lester Gooch)` is 1, 0, 6; undefined if it has none. */
export function versionIn(text: string): Version | undefined {
  const [, major, minor, patch = '0'] = /(\d+)\.(\d+)(?:\.(\d+))?/.exec(text) ?? [];
  return major === undefined ? undefined : [major, minor, patch].map(Number);
}

/** Whether a version is older than another one. */
export function isOlder(version: Version, than: Version): boolean {
  const at = than.findIndex((part, index) => (version[index] ?? 0) !== part);
  return at >= 0 && (version[at] ?? 0) < (than[at] ?? 0);
}
