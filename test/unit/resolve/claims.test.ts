// Who has an address that two Services claim, and by which field.
import { expect, test } from 'vitest';
import { serviceKey } from '../../../src/model/kubernetes.ts';
import { conflictText, type Reason } from '../../../src/model/reason.ts';
import { Claims } from '../../../src/resolve/claims.ts';
import { resolveService } from '../../../src/resolve/service.ts';
import { serviceOf, view } from './objects.ts';

const [january, june] = ['2026-01-01T00:00:00Z', '2026-06-01T00:00:00Z'];

type Claimant = readonly [key: string, createdAt: string];

test.each<[name: string, loser: Claimant, winner: Claimant, reason: Reason, words: string]>([
  [
    'the older one',
    ['ns/a', june],
    ['ns/b', january],
    {
      kind: 'older',
      object: 'Service ns/b',
      field: 'metadata.creationTimestamp',
      value: january,
    },
    'ns/b is older and has it',
  ],
  [
    'one with a creation time before one without',
    ['ns/a', ''],
    ['ns/b', june],
    {
      kind: 'has-creation-time',
      object: 'Service ns/b',
      field: 'metadata.creationTimestamp',
      value: june,
    },
    'ns/b has it: it has a creation time, the other has none',
  ],
  [
    'the first by name where neither has a creation time',
    ['ns/b', ''],
    ['ns/a', ''],
    { kind: 'name-sorts-first', object: 'Service ns/a', field: 'metadata.name', value: 'a' },
    'ns/a has it: neither is older, and its namespace/name sorts first',
  ],
  [
    'the first by namespace where both are equally old',
    ['two/a', june],
    ['one/b', june],
    {
      kind: 'name-sorts-first',
      object: 'Service one/b',
      field: 'metadata.namespace',
      value: 'one',
    },
    'one/b has it: neither is older, and its namespace/name sorts first',
  ],
])('%s', (_, loser, winner, reason, words) => {
  const claims = new Claims();
  const frontendsOf = ([key]: Claimant) => {
    const [namespace = '', name = ''] = key.split('/');
    const service = { ...serviceOf(), key: serviceKey(namespace, name), namespace, name };
    return resolveService(service, [], view).frontends;
  };
  const all = [loser, winner];
  for (const claimant of all) {
    const [key, createdAt] = claimant;
    claims.set({ key: key as never, createdAt }, frontendsOf(claimant));
  }
  const [frontend] = frontendsOf(loser);
  expect(claims.settle(frontendsOf(loser))).toEqual({
    won: [],
    conflicts: [{ frontend, winner: winner[0], reason }],
  });
  expect(claims.settle(frontendsOf(winner)).conflicts).toEqual([]);
  expect(conflictText(winner[0], reason as never)).toBe(words);
});
