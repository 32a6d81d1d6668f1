// What each mode needs of the kernel and of its tools. A start that fails for it and `sluice doctor` say it in
// the same words. Pure.
import { isOlder, type Version, versionIn } from './version.ts';

/** The oldest kernel on which nftables mode was tested: Debian 11's. */
const oldestKernel: Version = [5, 10];

/** The oldest nft that was tested, Debian 12's; 1.0.2 cannot parse our maps. */
const oldestNft: Version = [1, 0, 6];

/** iptables 1.6.2 brought MASQUERADE --random-fully and iptables-restore -w. */
const oldestIptables: Version = [1, 6, 2];

// The nf_tables variant of 1.8.0 to 1.8.3 loses rules (kubernetes/kubernetes#71305).
const faultyIptables = { from: [1, 8, 0], fixedIn: [1, 8, 4] } as const;

/** Why nftables mode cannot run on this kernel (`uname -r`); undefined if it can. */
export function kernelShortcoming(release: string): string | undefined {
  const version = versionIn(release);
  if (version === undefined || !isOlder(version, oldestKernel)) return undefined;
  return `nftables mode needs Linux ${text(oldestKernel)} or newer; this is ${release}`;
}

/** Why nftables mode cannot use this nft (`nft --version`); undefined if it can. */
export function nftShortcoming(answer: string): string | undefined {
  const version = versionIn(answer);
  if (version === undefined || !isOlder(version, oldestNft)) return undefined;
  return `nftables mode needs nft ${text(oldestNft)} or newer; this is nft ${text(version)}`;
}

/** Why iptables mode cannot use this iptables (`iptables --version`); undefined if it can. */
export function iptablesShortcoming(answer: string): string | undefined {
  const version = versionIn(answer);
  if (version === undefined) return undefined;
  if (isOlder(version, oldestIptables)) {
    return `iptables mode needs iptables ${text(oldestIptables)} or newer; this is iptables ${text(version)}`;
  }
  const { from, fixedIn } = faultyIptables;
  const isFaulty = !isOlder(version, from) && isOlder(version, fixedIn);
  if (!isFaulty || answer.includes('(legacy)')) return undefined;
  return `iptables ${text(version)} (nf_tables) loses rules; iptables mode needs ${text(fixedIn)} or newer`;
}

/** Why nftables mode cannot run although the versions are recent enough: what nft says of our rules. */
export function rulesShortcoming(complaint: string): string {
  return (
    `nft or the kernel refuses rules that nftables mode needs (${complaint}); the kernel needs nf_tables with ` +
    'NAT, masquerade, reject, numgen, fib and connection tracking'
  );
}

function text(version: Version): string {
  return version.join('.');
}
