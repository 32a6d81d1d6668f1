import { expect, test } from 'vitest';
import { flags } from '../../../../src/cli/arguments/flags.ts';
import { flagsOf } from '../../../../src/cli/commands/command.ts';
import { commands } from '../../../../src/cli/commands/table.ts';

test('every command has a name of its own', () => {
  expect(new Set(commands.map(({ name }) => name)).size).toBe(commands.length);
});

test('every flag is taken by some command, and by none twice', () => {
  const taken = new Set(commands.flatMap(flagsOf));
  expect(flags.filter((flag) => !taken.has(flag))).toEqual([]);
  const twice = commands.filter((one) => new Set(flagsOf(one)).size !== flagsOf(one).length);
  expect(twice).toEqual([]);
});

test('every command says what it means to end well, and to fail', () => {
  const silent = commands.filter(({ exitCodes }) => !(0 in exitCodes && 2 in exitCodes));
  expect(silent).toEqual([]);
});
