// What a terminal shows of `sluice top`, line by line, and what keys do to it.
import { expect, test } from 'vitest';
import { ratesBetween } from '../../../../src/cli/status/rates.ts';
import { topScreen, type Reading } from '../../../../src/cli/status/top-text.ts';
import {
  afterKey,
  wholeView,
  type Key,
  type TopView,
} from '../../../../src/cli/status/top-view.ts';
import type { Connections, PortConnections } from '../../../../src/model/connections.ts';
import type { ServiceKey } from '../../../../src/model/kubernetes.ts';

const paint = (_: string, text: string): string => text;
const small = { paint, columns: 60, lines: 12 };

/** As many ports, each of two endpoints; the first has the most connections. */
function readingOf(count: number, over: Partial<Connections> = {}): Reading {
  const at = (atMs: number, times: number): Connections => {
    const ports = Array.from({ length: count }, (_, index): PortConnections => {
      const connections = times * 2 * (count - index);
      const endpoint = (host: number) => `10.${index >> 8}.${index & 255}.${host}:8080`;
      return {
        family: index === 1 ? 'IPv6' : 'IPv4',
        service: `shop/service-with-a-long-name-${index}` as ServiceKey,
        portName: 'http',
        protocol: 'tcp',
        connections,
        endpoints: [
          { endpoint: endpoint(1), isLocal: true, connections },
          { endpoint: endpoint(2), isLocal: false, connections: 0 },
        ],
        skipped: 1,
      };
    });
    return { version: 2, mode: 'nftables', counters: 'endpoints', atMs, ports, ...over };
  };
  const [before, connections] = [at(1000, 1), at(2000, 2)];
  return { connections, rates: ratesBetween(before, connections, 'rate') };
}

function afterKeys(reading: Reading, ...keys: readonly Key[]): string {
  const screen = (view: TopView) => topScreen(reading, view, small);
  const view = keys.reduce<TopView>((now, key) => {
    const next = afterKey(now, key, screen(now));
    if (next === 'end') throw new Error('ended');
    return next;
  }, wholeView);
  return screen(view).text;
}

const typed = (text: string): readonly Key[] => text.split('').map((one) => ({ text: one }));

test('a screen of 60 by 12 holds what fits', () => {
  expect(afterKeys(readingOf(4))).toBe(`\
4 Service ports, 20 new connections a second

SERVICE                                 CONN/S  TOTAL  SHARE
shop/service-with-a-long-name-0:http …     8.0     16
  10.0.0.1:8080 (here)                     8.0     16  100%
  10.0.0.2:8080                            0.0      0  0%
shop/service-with-a-long-name-1:http …     6.0     12
  10.0.1.1:8080 (here)                     6.0     12  100%
  10.0.1.2:8080                            0.0      0  0%
shop/service-with-a-long-name-2:http …     4.0      8
  10.0.2.1:8080 (here)                     4.0      8  100%
1-8 of 12; arrows: scroll, /: filter, q: quit`);
});

test('keys scroll, no further than to the ends', () => {
  const reading = readingOf(4);
  const place = (...keys: readonly Key[]) =>
    afterKeys(reading, ...keys)
      .split('\n')
      .at(-1);
  const [down, up] = [{ name: 'down' }, { name: 'up' }];
  const at = (range: string) => `${range} of 12; arrows: scroll, /: filter, q: quit`;
  expect(
    [
      [],
      [down],
      [up],
      [down, down, up],
      [{ name: 'pagedown' }],
      [{ text: 'G' }],
      [{ name: 'end' }, { text: 'k' }],
      [{ name: 'end' }, { text: 'g' }, { text: 'j' }],
      [{ text: ' ' }, { text: 'b' }],
      [{ text: 'x' }],
    ].map((keys) => place(...keys)),
  ).toEqual(['1-8', '2-9', '1-8', '2-9', '5-12', '5-12', '4-11', '2-9', '1-8', '1-8'].map(at));
});

test('a filter shows the Services whose names have it, and Esc shows all again', () => {
  const reading = readingOf(12);
  expect(afterKeys(reading, ...typed('/-11'))).toBe(`\
"-11": 1 of 12 Service ports, 2.0 new connections a second

SERVICE                                 CONN/S  TOTAL  SHARE
shop/service-with-a-long-name-11:http…     2.0      4
  10.0.11.1:8080 (here)                    2.0      4  100%
  10.0.11.2:8080                           0.0      0  0%
/-11   Enter: keep, Esc: clear`);
  expect(afterKeys(reading, ...typed('/-1x'), { name: 'backspace' }, { name: 'return' })).toBe(`\
"-1": 3 of 12 Service ports, 28 new connections a second

SERVICE                                 CONN/S  TOTAL  SHARE
shop/service-with-a-long-name-1:http …      22     44
  10.0.1.1:8080 (here)                      22     44  100%
  10.0.1.2:8080                            0.0      0  0%
shop/service-with-a-long-name-10:http…     4.0      8
  10.0.10.1:8080 (here)                    4.0      8  100%
  10.0.10.2:8080                           0.0      0  0%
shop/service-with-a-long-name-11:http…     2.0      4
  10.0.11.1:8080 (here)                    2.0      4  100%
1-8 of 9; arrows: scroll, /: filter, q: quit`);
  const all = afterKeys(reading);
  expect(afterKeys(reading, ...typed('/-1'), { name: 'escape' })).toBe(all);
  expect(afterKeys(reading, ...typed('/-1'), { name: 'return' }, { name: 'escape' })).toBe(all);
});

test('letters are no commands while a filter is typed, and Ctrl-C always ends', () => {
  const extent = { rows: 0, page: 1 };
  const typing = { ...wholeView, isTyping: true };
  expect(afterKey(typing, { text: 'q', name: 'q' }, extent)).toEqual({ ...typing, filter: 'q' });
  expect(afterKey(wholeView, { text: 'q', name: 'q' }, extent)).toBe('end');
  for (const view of [typing, wholeView]) {
    expect(afterKey(view, { text: '\u0003', name: 'c', ctrl: true }, extent)).toBe('end');
  }
  expect(afterKey(typing, { text: '\u001B[A', name: 'up' }, extent)).toEqual(typing);
});

test.each([40, 60, 80, 120])(
  'no line is wider than %i columns, and no screen longer',
  (columns) => {
    const reading = readingOf(10_000, { counters: 'off' });
    for (const lines of [5, 12, 24]) {
      const { text } = topScreen(
        reading,
        { ...wholeView, from: 29_990 },
        { paint, columns, lines },
      );
      const shown = text.split('\n');
      expect(shown.filter((line) => line.length > columns)).toEqual([]);
      expect(shown.length).toBe(lines);
    }
  },
);

test('a wide screen has all columns', () => {
  const { text } = topScreen(readingOf(1), wholeView, { paint, columns: 120, lines: 8 });
  expect(text).toBe(`\
1 Service port, 2.0 new connections a second

SERVICE                                   CONN/S  TOTAL  SHARE  ENDPOINTS  IDLE  SKIPPED  BUSIEST
shop/service-with-a-long-name-0:http tcp     2.0      4                 2     1        1        -
  10.0.0.1:8080 (here)                       2.0      4  100%
  10.0.0.2:8080                              0.0      0  0%
1-3 of 3; arrows: scroll, /: filter, q: quit`);
});
