// The virtual machines that the tests boot: a kernel of Debian, and the Debian release around it.

export type Guest = {
  /** What `--kernel` calls it. */
  readonly name: string;
  /** The release of its nft, iptables and all other tools. */
  readonly release: 'bookworm' | 'trixie' | 'sid';
  /** How the version of its kernel begins: the newest of these that there is. */
  readonly kernel: string;
  /** Where the kernel comes from if not from that release. */
  readonly kernelSource?: { readonly archive: 'debian-security'; readonly suite: string };
};

/** Oldest first. */
export const guests: readonly Guest[] = [
  {
    // The nft of Debian 11 itself (0.9.8) is older than Sluice supports.
    name: '5.10',
    release: 'bookworm',
    kernel: '5.10.',
    kernelSource: { archive: 'debian-security', suite: 'bullseye-security' },
  },
  { name: '6.1', release: 'bookworm', kernel: '6.1.' },
  { name: '6.12', release: 'trixie', kernel: '6.12.' },
  { name: 'newest', release: 'sid', kernel: '' },
];
