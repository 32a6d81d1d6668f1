import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatDuration,
  parseBoolean,
  parseDecimal,
  parseDurationMs,
  parseInteger,
} from '../../../src/config/values/go-values.ts';
import { isInterfaceName } from '../../../src/config/values/interface-name.ts';

test.each<[text: string, ms: number | undefined]>([
  ['0', 0],
  ['0s', 0],
  ['1m30s', 90_000],
  ['15m0s', 900_000],
  ['24h', 86_400_000],
  ['1.5s', 1500],
  ['.5s', 500],
  ['100ms', 100],
  ['250us', 0.25],
  ['-2s', -2000],
  ['+2s', 2000],
  ['', undefined],
  ['5', undefined],
  ['s', undefined],
  ['5 s', undefined],
  ['1d', undefined],
  ['1s\n', undefined],
  ['.s', undefined],
  [`${'1'.repeat(70)}s`, undefined],
])('the duration %j', (text, ms) => {
  expect(parseDurationMs(text)).toBe(ms);
});

test.each<[text: string, value: number | undefined]>([
  ['14', 14],
  ['-999', -999],
  ['+3', 3],
  ['0', 0],
  ['-0', 0],
  ['0x1F', 31],
  ['0o17', 15],
  ['017', 15],
  ['0b11', 3],
  ['', undefined],
  ['1.5', undefined],
  ['09', undefined],
  ['1e3', undefined],
  ['99999999999999999999', undefined],
])('the integer %j', (text, value) => {
  expect(parseInteger(text)).toBe(value);
});

test.each<[text: string, value: number | undefined]>([
  ['5', 5],
  ['2.5', 2.5],
  ['1e2', 100],
  ['x', undefined],
  ['', undefined],
  ['Infinity', undefined],
])('the decimal %j', (text, value) => {
  expect(parseDecimal(text)).toBe(value);
});

test.each<[text: string, value: boolean | undefined]>([
  ['true', true],
  ['T', true],
  ['1', true],
  ['False', false],
  ['f', false],
  ['0', false],
  ['yes', undefined],
  ['tRUE', undefined],
  ['', undefined],
])('the truth value %j', (text, value) => {
  expect(parseBoolean(text)).toBe(value);
});

describe('interface names', () => {
  test.each<[text: string, isName: boolean]>([
    ['cni0', true],
    ['veth.100@if_3-x', true],
    ['a'.repeat(15), true],
    ['a'.repeat(16), false],
    ['', false],
    ['.', false],
    ['..', false],
    ['veth+', false],
    ['veth*', false],
    ['a b', false],
    ['a"', false],
    ['a\n', false],
    ['é', false],
  ])('%j', (text, isName) => {
    expect(isInterfaceName(text)).toBe(isName);
  });

  test('hold nothing that means something in a rule', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        if (isInterfaceName(text)) expect(text).not.toMatch(/[\s"'*+!;{}\\#$,]/);
      }),
    );
  });
});

describe('a duration is printed', () => {
  test.each([
    [0, '0s'],
    [1e-6, '1ns'],
    [0.0015, '1.5µs'],
    [1.5, '1.5ms'],
    [1000, '1s'],
    [1500, '1.5s'],
    [30_000, '30s'],
    [900_000, '15m0s'],
    [86_400_000, '24h0m0s'],
    [3_661_250, '1h1m1.25s'],
    [-90_000, '-1m30s'],
  ])('%d ms as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
    expect(parseDurationMs(text)).toBeCloseTo(ms, 9);
  });
});
