import { expect, test } from 'vitest';
import type { Entry, FileReading } from '../../../../src/cluster/manifests/entries.ts';
import { withLastGood } from '../../../../src/cluster/manifests/last-good.ts';
import type { Cidr } from '../../../../src/model/ip.ts';

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
  digest: 'd',
  entries,
  failure: undefined,
});

const broken: FileReading = {
  ...file(),
  failure: { line: 2, message: 'is no YAML' },
};

const emptied =
  'holds no Service, EndpointSlice, Node, ServiceCIDR any more; what it held before is kept';
const nameless: Entry = { ...bad(''), key: undefined };
const partly = good('a', '10.0.0.0/8', [problem]);

test.each<[what: string, before: FileReading | undefined, now: FileReading, result: FileReading]>([
  ['the first reading is as it is', undefined, file(bad('a')), file(bad('a'))],
  ['a first file that cannot be used has nothing', undefined, broken, broken],
  ['a new good version counts', file(good('a', '1')), file(good('a', '2')), file(good('a', '2'))],
  ['a version with problems counts', file(good('a', '1')), file(partly), file(partly)],
  [
    'a bad version has the object of before, and its own problems',
    file(good('a', '1'), good('b', '1')),
    file(good('b', '2'), bad('a')),
    file(good('b', '2'), good('a', '1', [problem])),
  ],
  ['a bad version of what was never good is left out', file(), file(bad('a')), file(bad('a'))],
  [
    'a document that is gone is gone',
    file(good('a', '1'), good('b', '1')),
    file(good('b', '1')),
    file(good('b', '1')),
  ],
  [
    'a file that holds nothing any more is refused',
    file(partly),
    file(),
    { ...file(good('a', '10.0.0.0/8')), failure: { line: 1, message: emptied } },
  ],
  ['a file that never held anything may hold nothing', file(), file(), file()],
  [
    'nothing is gone where a bad object may be it',
    file(good('a', '1'), good('b', '1')),
    file(good('b', '2'), nameless),
    file(good('b', '2'), nameless, good('a', '1')),
  ],
  [
    'an object that is ignored now is gone',
    file(good('a', '1')),
    file(ignored('a')),
    file(ignored('a')),
  ],
  [
    'a broken file has the entries of before, without their problems',
    file(partly, bad('b')),
    broken,
    { ...broken, entries: [good('a', '10.0.0.0/8'), ignored('b')] },
  ],
])('%s', (_, before, now, result) => {
  expect(withLastGood(before, now)).toEqual(result);
});

test('what is kept outlives several bad versions', () => {
  const second = withLastGood(file(good('a', '1')), file(bad('a')));
  const third = withLastGood(second, broken);
  expect(withLastGood(third, file(bad('a')))).toEqual(file(good('a', '1', [problem])));
});
