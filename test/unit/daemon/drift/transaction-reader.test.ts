// What becomes of what the kernel tells, with either backend's own idea of what is ours.
import { describe, expect, test } from 'vitest';
import { touchesOurChains } from '../../../../src/backends/iptables/read/touches.ts';
import { touchesOurTable } from '../../../../src/backends/nftables/read/touches.ts';
import type { Author, Change, End, TouchOf } from '../../../../src/netfilter/table-changes.ts';
import type { ForeignChange } from '../../../../src/daemon/drift/transaction-reader.ts';
import { TransactionReader } from '../../../../src/daemon/drift/transaction-reader.ts';

const ourPid = 77;

type Message = Change | End | 'lost';

/** `add rule ip nat OUTPUT` as a message. */
function change(words: string): Change {
  const [verb, object = '', family, table = '', chain] = words.split(' ');
  const isKnown = object === 'table' || object === 'chain' || object === 'rule';
  return {
    kind: 'change',
    isDeleted: verb === 'delete',
    object: isKnown ? object : 'other',
    family: family === 'ip6' ? 'IPv6' : 'IPv4',
    table,
    chain,
  };
}

function by(pid: number, process: string, generation?: number): End {
  return { kind: 'end', author: { pid, process }, generation };
}

/** The one family's certainty and the author, shortly. */
function told(messages: readonly Message[], touchOf: TouchOf): readonly string[] {
  const changes: ForeignChange[] = [];
  const asked: (Author | 'unknown')[] = [];
  const reader = new TransactionReader({
    families: ['IPv4'],
    touchOf,
    isOurs: (author) => {
      asked.push(author);
      return author !== 'unknown' && author.pid === ourPid;
    },
    onForeign: (foreign) => changes.push(foreign),
  });
  for (const message of messages) reader.read(message);
  const ends = messages.flatMap((one) => (one !== 'lost' && one.kind === 'end' ? [one] : []));
  // Once of each transaction, in order.
  expect(asked).toEqual(ends.map(({ author }) => author));
  return changes.map(
    ({ touched, author }) => `${touched.get('IPv4')} ${author?.process} ${author?.pid}`,
  );
}

describe('in nftables', () => {
  test.each([
    [['delete table ip sluice']],
    [['delete rule ip sluice services']],
    [['add element ip sluice']],
    [['add rule ip other x', 'add chain ip sluice more', 'add rule ip other x']],
  ])('%j is a change of ours', (lines) => {
    expect(told([...lines.map(change), by(5420, 'nft')], touchesOurTable)).toEqual([
      'sure nft 5420',
    ]);
  });

  test.each(['add rule ip other sluice', 'delete table ip sluice-trace', 'add table ip6 sluice'])(
    '%s is none',
    (line) => {
      expect(told([change(line), by(5420, 'nft')], touchesOurTable)).toEqual([]);
    },
  );

  test('what we made is no change by others, and what follows it is', () => {
    const messages = [
      change('add chain ip sluice one'),
      by(ourPid, 'nft'),
      change('add chain ip other two'),
      by(5421, 'nft'),
      change('add chain ip sluice three'),
      by(5422, 'evil'),
    ];
    expect(told(messages, touchesOurTable)).toEqual(['sure evil 5422']);
  });

  test('a kernel that does not name who it was', () => {
    const messages: Message[] = [
      change('add chain ip sluice'),
      { kind: 'end', author: 'unknown', generation: undefined },
    ];
    expect(told(messages, touchesOurTable)).toEqual(['sure undefined undefined']);
  });

  test('of what was lost anything may have been ours, and nobody knows whose it was', () => {
    const messages: Message[] = [change('add chain ip sluice'), 'lost', by(1, 'nft')];
    expect(told(messages, touchesOurTable)).toEqual(['maybe undefined undefined']);
  });
});

describe('transactions are numbered', () => {
  const mine = (generation: number): Message => by(ourPid, 'nft', generation);

  test.each([
    ['one after the other', [7, 8, 9]],
    ['past the largest number, which no 0 follows', [0xffff_fffe, 0xffff_ffff, 1, 2]],
    ['from any number on', [500, 501]],
  ])('%s: none was lost', (_, numbers) => {
    expect(told(numbers.map(mine), touchesOurTable)).toEqual([]);
  });

  test('where a number is missing, one was lost', () => {
    expect(told([7, 8, 10, 11].map(mine), touchesOurTable)).toEqual(['maybe undefined undefined']);
  });

  test('what came beside the lost one is told as well', () => {
    const messages = [mine(7), change('add chain ip sluice x'), by(5420, 'nft', 9)];
    expect(told(messages, touchesOurTable)).toEqual(['maybe undefined undefined', 'sure nft 5420']);
  });

  test('after the kernel said that some were lost any number may follow', () => {
    expect(told([mine(7), 'lost', mine(70)], touchesOurTable)).toEqual([
      'maybe undefined undefined',
    ]);
  });
});

describe('in iptables', () => {
  test.each([
    [['add rule ip nat KUBE-SVC-XPGD46QRK7WJZT7O'], 'sure'],
    [['delete chain ip nat KUBE-SERVICES'], 'sure'],
    [['delete table ip filter'], 'sure'],
    [['delete chain ip mangle SLUICE-CANARY'], 'sure'],
    [['delete rule ip nat OUTPUT'], 'maybe'],
    [['delete rule ip filter KUBE-FIREWALL'], 'maybe'],
    [['delete rule ip nat OUTPUT', 'add rule ip nat KUBE-SERVICES'], 'sure'],
  ])('%j touches our chains', (lines, certainty) => {
    const messages = [...lines.map(change), by(5431, 'iptables-nft-re')];
    expect(told(messages, touchesOurChains)).toEqual([`${certainty} iptables-nft-re 5431`]);
  });

  test.each([
    'add rule ip nat OUTPUT',
    'add rule ip nat DOCKER',
    'delete rule ip nat DOCKER',
    'add chain ip mangle KUBE-KUBELET-CANARY',
    'delete rule ip raw PREROUTING',
    'add table ip nat',
    'delete set ip nat',
  ])('%s does not', (line) => {
    expect(told([change(line), by(5431, 'iptables-nft-re')], touchesOurChains)).toEqual([]);
  });
});
