// The page docs/kernels.md.

/** The page around the table. */
export function kernelsPage(table: string, date: Date): string {
  return `# Kernels that Sluice is tested on

\`npm run test:kernels -- --write\` wrote this page on ${date.toISOString().slice(0, 10)}.

The command boots each kernel in a virtual machine (QEMU, no KVM needed) and runs this project's own tests in it.
Kernels and tools are Debian packages. The first columns show the kernel and the Debian release, nft and
iptables that were in the virtual machine. Kernel 5.10 is Debian 11's; Debian 11's own nft (0.9.8) is too old for
Sluice, so this kernel is tested with the tools of Debian 12.

Each cell counts tests. Tests of the lab need no proxy: they count in both modes.

${table}
| column | what is tested |
|---|---|
| lab | the lab itself, with routes and with VXLAN between the nodes, without a proxy |
| start to clean-up | Sluice starts, a Service answers by TCP and UDP, \`verify\` finds every rule, \`cleanup\` leaves none |
| conformance | packets to each kind of Service, compared with what kube-proxy 1.36 was seen to do |
| affinity | \`sessionAffinity: ClientIP\` |
| Local | \`internalTrafficPolicy\` and \`externalTrafficPolicy: Local\` |
| source ranges | \`loadBalancerSourceRanges\` |
| UDP flows | UDP clients follow their Service when endpoints change |
| drift | Sluice repairs rules that another program changed |
| verify | \`sluice verify\` finds a kernel in step |
| clean-up | \`sluice cleanup\` removes our rules and nothing else |
`;
}
