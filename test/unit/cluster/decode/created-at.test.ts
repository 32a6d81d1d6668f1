// When a Service was created, as people and tools write it: only who is older depends on it.
import { expect, test } from 'vitest';
import { decodeService } from '../../../../src/cluster/decode/service.ts';
import { service } from '../objects.ts';

test.each<[written: unknown, createdAt: string]>([
  ['2026-01-31T12:00:00Z', '2026-01-31T12:00:00Z'],
  ['2026-01-31T13:30:00+01:30', '2026-01-31T12:00:00Z'],
  ['2026-01-31t12:00:00.987z', '2026-01-31T12:00:00Z'],
  ['2026-01-31 12:00:00+00:00', '2026-01-31T12:00:00Z'],
  ['2026-01-31 12:00:00', '2026-01-31T12:00:00Z'],
  ['2026-01-31 07:00:00.5 -05', '2026-01-31T12:00:00Z'],
])('was created at %s', (creationTimestamp, createdAt) => {
  expect(decodeService(service({}, { creationTimestamp }))).toMatchObject({
    object: { value: { createdAt } },
    problems: [],
  });
});

test.each<[written: unknown, message: string]>([
  ['now\u001b[2J', '"now\\u001b[2J" is not a time such as 2026-01-31T12:00:00Z'],
  ['2026-13-31T12:00:00Z', '"2026-13-31T12:00:00Z" is not a time such as 2026-01-31T12:00:00Z'],
  [1_769_860_800, '1769860800 is not a string'],
])('counts as younger, and no more, where its time is %j', (creationTimestamp, message) => {
  const field = 'metadata.creationTimestamp';
  expect(decodeService(service({}, { creationTimestamp }))).toMatchObject({
    kind: 'object',
    object: { value: { createdAt: '' } },
    problems: [{ field, message, path: ['metadata', 'creationTimestamp'] }],
  });
});
