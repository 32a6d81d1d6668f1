import { expect, test } from 'vitest';
import {
  commentMatch,
  oneOf,
  ruleText,
  setMark,
} from '../../../../src/backends/iptables/rule-text.ts';

test('a rule has its parts in the order in which iptables-save prints them', () => {
  const text = ruleText({
    jump: 'KUBE-MARK-MASQ',
    matches: ['-m comment --comment abc', '', '-m tcp --dport 80'],
    protocol: 'tcp',
    inInterface: { value: 'cni+', is: true },
    destination: { value: '10.96.0.1/32', is: true },
    source: { value: '10.244.0.0/16', is: false },
  });
  expect(text).toBe(
    '! -s 10.244.0.0/16 -d 10.96.0.1/32 -i cni+ -p tcp -m comment --comment abc -m tcp --dport 80 -j KUBE-MARK-MASQ',
  );
});

test.each([
  ['a plain word stays bare', 'abc-d_E9', 'abc-d_E9'],
  ['all else is quoted', 'ns/name:port', '"ns/name:port"'],
  ['quotes and backslashes are escaped', `a"b\\c'd`, String.raw`"a\"b\\c\'d"`],
  ['what could end the line or is no ASCII is replaced', 'a\nb\tc\u00e9', 'a_b_c_'],
  ['no more than the kernel keeps', 'x'.repeat(300), 'x'.repeat(255)],
])('comment: %s', (_, text, spelled) => {
  expect(commentMatch(text)).toBe(`-m comment --comment ${spelled}`);
});

test('no comment where there is nothing to say', () => {
  expect(commentMatch('')).toBe('');
});

// 3, 5 and 7 as kube-proxy's rules were seen to come back; 4096 is a tie of the last printed digit.
test.each([
  [2, '0.50000000000'],
  [3, '0.33333333349'],
  [5, '0.20000000019'],
  [7, '0.14285714272'],
  [4096, '0.00024414062'],
])('one of %d connections has probability %s', (ways, probability) => {
  expect(oneOf(ways)).toBe(`-m statistic --mode random --probability ${probability}`);
});

test('the highest mark bit is no negative number', () => {
  expect(setMark(1 << 31)).toBe('MARK --set-xmark 0x80000000/0x80000000');
});
