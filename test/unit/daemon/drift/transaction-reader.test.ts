// What nft monitor prints, as nft 1.0.6 and iptables 1.8.9 were seen to have it print, and what is made of it.
import { describe, expect, test } from 'vitest';
import { touchesOurChains } from '../../../../src/backends/iptables/read/touches.ts';
import { touchesOurTable } from '../../../../src/backends/nftables/read/touches.ts';
import { lineReader } from '../../../../src/host/netfilter/nft-monitor.ts';
import type { TouchOf } from '../../../../src/netfilter/monitor.ts';
import type { ForeignChange } from '../../../../src/daemon/drift/transaction-reader.ts';
import { TransactionReader } from '../../../../src/daemon/drift/transaction-reader.ts';

const ourPid = 77;

function changesIn(text: string, touchOf: TouchOf): readonly ForeignChange[] {
  const changes: ForeignChange[] = [];
  const reader = new TransactionReader({
    families: ['IPv4'],
    touchOf,
    isOurs: (author) => author !== 'unknown' && author.pid === ourPid,
    onForeign: (change) => changes.push(change),
  });
  for (const line of text.split('\n')) reader.read(line);
  return changes;
}

/** The one family's certainty and the author, shortly. */
function told(text: string, touchOf: TouchOf): readonly string[] {
  return changesIn(text, touchOf).map(
    ({ touched, author }) => `${touched.get('IPv4')} ${author?.process} ${author?.pid}`,
  );
}

describe('in nftables', () => {
  test.each([
    ['delete table ip sluice'],
    ['add table ip sluice'],
    ['delete rule ip sluice services handle 4'],
    ['add element ip sluice endpoints-tcp-2 { 10.96.0.10 . 80 . 0 : 10.244.1.1 . 8080 }'],
    ['add rule ip other x accept\nadd chain ip sluice more\nadd rule ip other x drop'],
  ])('%s is a change of ours', (lines) => {
    expect(told(`${lines}\n# new generation 4 by process 5420 (nft)`, touchesOurTable)).toEqual([
      'sure nft 5420',
    ]);
  });

  test.each([
    ['add rule ip other x accept'],
    ['delete table ip sluice-trace'],
    ['add table inet sluice'],
    ['add element ip other m { "add table ip sluice" }'],
    ['add table ip6 sluice'],
  ])('%s is none', (lines) => {
    expect(told(`${lines}\n# new generation 4 by process 5420 (nft)`, touchesOurTable)).toEqual([]);
  });

  test('what we made is no change by others, and what follows it is', () => {
    const text = [
      'add chain ip sluice one',
      `# new generation 4 by process ${ourPid} (nft)`,
      'add chain ip other two',
      '# new generation 5 by process 5421 (nft)',
      'add chain ip sluice three',
      '# new generation 6 by process 5422 (evil) (x)',
    ];
    expect(told(text.join('\n'), touchesOurTable)).toEqual(['sure evil) (x 5422']);
  });

  test('a kernel that does not name who it was', () => {
    const text = 'add chain ip sluice one\n# new generation 4';
    expect(told(text, touchesOurTable)).toEqual(['sure undefined undefined']);
  });

  test('of what was lost anything may have been ours', () => {
    const text = '# ERROR: We lost some netlink events!\n# new generation 9 by process 1 (nft)';
    expect(told(text, touchesOurTable)).toEqual(['maybe undefined undefined']);
  });
});

describe('in iptables', () => {
  test.each([
    ['add rule ip nat KUBE-SVC-XPGD46QRK7WJZT7O counter packets 0 bytes 0 accept', 'sure'],
    ['delete chain ip nat KUBE-SERVICES', 'sure'],
    ['delete table ip filter', 'sure'],
    ['delete chain ip mangle SLUICE-CANARY', 'sure'],
    ['delete rule ip nat OUTPUT handle 2', 'maybe'],
    ['delete rule ip filter KUBE-FIREWALL handle 2', 'maybe'],
    ['delete rule ip nat OUTPUT handle 2\nadd rule ip nat KUBE-SERVICES accept', 'sure'],
  ])('%s touches our chains', (lines, certainty) => {
    const text = `${lines}\n# new generation 11 by process 5431 (iptables-nft-re)`;
    expect(told(text, touchesOurChains)).toEqual([`${certainty} iptables-nft-re 5431`]);
  });

  test.each([
    ['add rule ip nat OUTPUT counter packets 0 bytes 0 accept'],
    ['add rule ip nat DOCKER counter packets 0 bytes 0 jump KUBE-SERVICES'],
    ['delete rule ip nat DOCKER handle 12'],
    ['create chain ip mangle KUBE-KUBELET-CANARY'],
    ['delete rule ip raw PREROUTING handle 12'],
    ['add table ip nat'],
  ])('%s does not', (lines) => {
    const text = `${lines}\n# new generation 11 by process 5431 (iptables-nft-re)`;
    expect(told(text, touchesOurChains)).toEqual([]);
  });
});

test('lines come whole however they are cut into pieces, and the start of those that are very long', () => {
  const lines: string[] = [];
  const read = lineReader((line) => lines.push(line));
  const text = `short\n\n${'x'.repeat(2000)}\nlast\n`;
  for (let at = 0; at < text.length; at += 7) read(Buffer.from(text.slice(at, at + 7)));
  expect(lines).toEqual(['short', '', 'x'.repeat(512), 'last']);
  read(Buffer.from(`${text}rest`));
  expect(lines.slice(4)).toEqual(['short', '', 'x'.repeat(512), 'last']);
});
