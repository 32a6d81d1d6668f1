import { describe, expect, test } from 'vitest';
import type { Entry, FileReading } from '../../../src/cluster/manifests/entries.ts';
import { mergeLastGood } from '../../../src/cluster/manifests/merge-last-good.ts';
import type { Cidr } from '../../../src/model/ip.ts';

const problem = { line: 3, field: 'spec.cidrs', message: 'is wrong' };

function good(name: string, cidr: string, problems: Entry['problems'] = []): Entry {
  const value = { name, cidrs: [cidr as Cidr] };
  const object = { kind: 'ServiceCIDR', id: name, value } as const;
  return { ...bad(name), object, problems };
}

function bad(name: string): Entry {
  const key = `ServiceCIDR ${name}`;
  return { key, label: key, line: 1, object: undefined, problems: [problem] };
}

const ignored = (name: string): Entry => ({ ...bad(name), problems: [] });

const file = (...entries: Entry[]): FileReading => ({
  file: 'a.yaml',
  entries,
  failure: undefined,
});

const broken: FileReading = {
  file: 'a.yaml',
  entries: [],
  failure: { line: 2, message: 'is no YAML' },
};

const partly = good('a', '10.0.0.0/8', [problem]);

describe('mergeLastGood', () => {
  test.each<[what: string, before: FileReading[], now: FileReading[], merged: FileReading[]]>([
    ['the first reading stands as it is', [], [file(bad('a'))], [file(bad('a'))]],
    [
      'a new good version counts',
      [file(good('a', '1'))],
      [file(good('a', '2'))],
      [file(good('a', '2'))],
    ],
    ['a version with problems counts', [file(good('a', '1'))], [file(partly)], [file(partly)]],
    [
      'a bad version has the object of before, and its own problems',
      [file(good('a', '1'), good('b', '1'))],
      [file(good('b', '2'), bad('a'))],
      [file(good('b', '2'), good('a', '1', [problem]))],
    ],
    [
      'a bad version of what was never good is left out',
      [file()],
      [file(bad('a'))],
      [file(bad('a'))],
    ],
    ['a document that is gone is gone', [file(good('a', '1'))], [file()], [file()]],
    [
      'an object that is ignored now is gone',
      [file(good('a', '1'))],
      [file(ignored('a'))],
      [file(ignored('a'))],
    ],
    ['a file that is gone is gone', [file(good('a', '1'))], [], []],
    [
      'a broken file has the entries of before, without their problems',
      [file(partly, bad('b'))],
      [broken],
      [{ ...broken, entries: [good('a', '10.0.0.0/8'), ignored('b')] }],
    ],
    [
      'a good object of another file is not taken',
      [{ ...file(good('a', '1')), file: 'b.yaml' }],
      [file(bad('a'))],
      [file(bad('a'))],
    ],
  ])('%s', (_, before, now, merged) => {
    expect(mergeLastGood(before, now)).toEqual(merged);
  });

  test('what is kept outlives several bad versions', () => {
    const first = [file(good('a', '1'))];
    const second = mergeLastGood(first, [file(bad('a'))]);
    const third = mergeLastGood(second, [broken]);
    expect(mergeLastGood(third, [file(bad('a'))])).toEqual([file(good('a', '1', [problem]))]);
  });
});
