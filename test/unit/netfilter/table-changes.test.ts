// What the kernel told, as it was recorded (Linux 6.18, nft 1.0.6, iptables 1.8.9), and what is read of it.
import { describe, expect, test } from 'vitest';
import { messagesIn, type Change, type End } from '../../../src/netfilter/table-changes.ts';

function messages(...hex: readonly string[]) {
  return plain(Buffer.from(hex.join(''), 'hex'));
}

function plain(bytes: Buffer): readonly (Change | End)[] {
  return [...messagesIn(bytes)].map((message) => {
    if (message.kind === 'end') return message;
    const { kind, isDeleted, object, family, table, chain } = message;
    return { kind, isDeleted, object, family, table, chain };
  });
}

const sluice: Pick<Change, 'kind' | 'isDeleted' | 'family' | 'table' | 'chain'> = {
  kind: 'change',
  isDeleted: false,
  family: 'IPv4',
  table: 'sluice',
  chain: undefined,
};

const addTable =
  '3c000000000a00000100000086430000020000020b000100736c75696365000008000300000000010c0004000000000000000001080002000000000044000000';
const addChain =
  '030a00040200000086430000020000020b000100736c7569636500000d0003007365727669636573000000000c00020000000000000000010800060000000001';
const addRule =
  '70000000060a000c0300000086430000020000020b000100736c7569636500000d0002007365727669636573000000000c000300000000000000000234000400300001000e000100696d6d6564696174650000001c0002000800010000000000100002000c0002000800010000000001';
const endByNft =
  '2c0000000f0a000001000000864300000000000208000100000000020800020000004386080003006e667400';
const addElements =
  '3c0000000c0a000400000000874300000a0000030b000100736c756963650000060002007300000014000300100001000c00010006000100005000003c0000000c0a000400000000874300000a0000030b000100736c756963650000060002007300000014000300100001000c0001000600010000510000';
const flushChain =
  '70000000080a00000100000089430000020000050b000100736c7569636500000d0002007365727669636573000000000c000300000000000000000234000400300001000e000100696d6d6564696174650000001c0002000800010000000000100002000c0002000800010000000001';
const deleteTable =
  '3c000000050a0000010000008a430000020000060b000100736c7569636500000d0003007365727669636573000000000c000200000000000000000134000000020a0000010000008a430000020000060b000100736c75696365000008000300000000000c0004000000000000000001';
const addTableOfInet =
  '3c000000000a0000010000008b430000010000070a0001006f7468657200000008000300000000000c00040000000000000000030800020000000000';
const deleteJump =
  'a8000000080a000002000000b74300000200000a080001006e6174000b0002004f555450555400000c0003000000000000000003740004002c0001000c000100636f756e746572001c0002000c00010000000000000000000c0002000000000000000000440001000e000100696d6d656469617465000000300002000800010000000000240002002000020008000100fffffffd120002004b5542452d5345525649434553000000';
const endByIptables =
  '340000000f0a000002000000b74300000000000a080001000000000a08000200000043b70d00030069707461626c657300000000';

const nft = { kind: 'end', author: { pid: 0x4386, process: 'nft' }, generation: 2 };

test('a table, a chain and a rule are added', () => {
  expect(messages(addTable, addChain, addRule, endByNft)).toEqual([
    { ...sluice, object: 'table' },
    { ...sluice, object: 'chain', chain: 'services' },
    { ...sluice, object: 'rule', chain: 'services' },
    nft,
  ]);
});

test('elements are added: the table is told, and no more', () => {
  const element = { ...sluice, family: 'IPv6', object: 'other' };
  expect(messages(addElements)).toEqual([element, element]);
});

test('a rule is deleted', () => {
  expect(messages(flushChain)).toEqual([
    { ...sluice, isDeleted: true, object: 'rule', chain: 'services' },
  ]);
});

test('a table is deleted with its chain', () => {
  expect(messages(deleteTable)).toEqual([
    { ...sluice, isDeleted: true, object: 'chain', chain: 'services' },
    { ...sluice, isDeleted: true, object: 'table' },
  ]);
});

test('a table is deleted as NFT_MSG_DESTROYTABLE, made of the message above', () => {
  const bytes = Buffer.from(addTable.slice(0, 120), 'hex');
  bytes[4] = 26;
  expect(messages(bytes.toString('hex'))).toEqual([
    { ...sluice, isDeleted: true, object: 'table' },
  ]);
});

test('a jump from one of the kernel’s own chains is deleted by iptables-nft', () => {
  expect(messages(deleteJump, endByIptables)).toEqual([
    { ...sluice, isDeleted: true, object: 'rule', table: 'nat', chain: 'OUTPUT' },
    { kind: 'end', author: { pid: 0x43b7, process: 'iptables' }, generation: 10 },
  ]);
});

test('of a table of another family only the end of the transaction is left', () => {
  expect(messages(addTableOfInet, endByNft)).toEqual([nft]);
});

describe('what the kernel does not say so', () => {
  test('a transaction without an author', () => {
    const older = `1c${endByNft.slice(2, 56)}`;
    expect(messages(older)).toEqual([{ kind: 'end', author: 'unknown', generation: 2 }]);
  });

  test('another subsystem', () => {
    const bytes = Buffer.from(endByNft, 'hex');
    bytes[5] = 1;
    expect(messages(bytes.toString('hex'))).toEqual([]);
  });

  test('nothing throws, wherever it is cut off', () => {
    const whole = Buffer.from(addTable + addChain + addRule + endByNft, 'hex');
    for (let length = 0; length < whole.length; length += 1) {
      expect(plain(whole.subarray(0, length)).length).toBeLessThan(4);
    }
  });

  test('nothing throws, whichever byte is another', () => {
    const whole = Buffer.from(addTable + addChain + addRule + endByNft, 'hex');
    for (let at = 0; at < whole.length; at += 1) {
      for (const value of [0, 1, 255]) {
        const bytes = Buffer.from(whole);
        bytes[at] = value;
        expect(plain(bytes).length).toBeLessThan(5);
      }
    }
  });
});
