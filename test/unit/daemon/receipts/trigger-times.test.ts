// Which of the times that led to changes of slices wait for the kernel, Service by Service.
import { expect, test } from 'vitest';
import type { ClusterChange, EndpointSlice } from '../../../../src/model/kubernetes.ts';
import { serviceKey } from '../../../../src/model/kubernetes.ts';
import { TriggerTimes } from '../../../../src/daemon/receipts/trigger-times.ts';

const [t0, t1, t2, t3] = [1000, 2000, 3000, 4000];

function sliceOf(service: string, triggeredAtMs: number): EndpointSlice {
  const name = `${service}-1`;
  const identity = { namespace: 'demo', name, service: serviceKey('demo', service) };
  return { ...identity, family: 'IPv4', ports: [], endpoints: [], triggeredAtMs };
}

function set(service: string, triggeredAtMs: number): ClusterChange {
  const id = `demo/${service}-1`;
  return {
    op: 'set',
    object: { kind: 'EndpointSlice', id, value: sliceOf(service, triggeredAtMs) },
  };
}

function gone(service: string): ClusterChange {
  return { op: 'delete', kind: 'EndpointSlice', id: `demo/${service}-1` };
}

/** The times, in milliseconds, that the kernel is measured by after these changes. */
function timesAfter(...changes: readonly ClusterChange[]): readonly number[] {
  let nowMs = 0;
  const times = new TriggerTimes(() => nowMs);
  times.take({ changes, before: [] });
  nowMs = 10_000;
  return times.settle('IPv4').map((seconds) => nowMs - seconds * 1000);
}

test('a slice that is changed again has both times', () => {
  expect(timesAfter(set('a', t0), set('a', t1))).toEqual([t0, t1]);
});

test('two Services have their own times', () => {
  expect(timesAfter(set('a', t1), set('b', t2), set('a', t3))).toEqual([t1, t3, t2]);
});

test('a slice that went and came again has the later time alone', () => {
  expect(timesAfter(set('a', t1), gone('a'), set('a', t2))).toEqual([t2]);
});

test('a slice that goes and was not known has no time', () => {
  expect(timesAfter(gone('a'))).toEqual([]);
});
