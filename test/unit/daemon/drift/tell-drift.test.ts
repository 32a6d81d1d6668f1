// What is told of a foreign change: in the log, and as an Event of the Node.
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { driftTeller } from '../../../../src/daemon/drift/tell-drift.ts';
import { Troubles } from '../../../../src/daemon/events/troubles.ts';
import type { ClusterEvent } from '../../../../src/model/cluster-event.ts';
import { createLog } from '../../../../src/serve/log.ts';

function teller() {
  const events: ClusterEvent[] = [];
  const stream = new PassThrough();
  const common = {
    nodeName: 'node-1',
    log: createLog({ stream, verbosity: 2 }),
    record: (event: ClusterEvent) => void events.push(event),
  };
  const troubles = new Troubles(common);
  const listener = driftTeller({ ...common, troubles, count: () => {} });
  const logged = (): readonly object[] =>
    String(stream.read() ?? '')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const { time: _time, level: _level, ...rest } = JSON.parse(line) as Record<string, unknown>;
        return rest;
      });
  return { listener, events, logged, troubles };
}

const evil = { pid: 812, process: 'fire\u001b[2Jwalld' };
const node = { kind: 'Node', namespace: '', name: 'node-1', uid: 'node-1' };

test('a repair names the culprit, without what a terminal would obey', () => {
  const { listener, events, logged } = teller();
  const repaired = { create: 2, replace: 1, delete: 0 };
  listener.repaired({ family: 'IPv4', source: 'kernel', authors: [evil], repaired, tookMs: 17.4 });
  expect(logged()).toEqual([
    {
      family: 'IPv4',
      noticedBy: 'kernel',
      by: [{ process: 'fire\\u001b[2Jwalld', pid: 812 }],
      putBack: 2,
      mended: 1,
      removed: 0,
      ms: 17,
      msg: 'somebody changed our rules: repaired',
    },
  ]);
  expect(events).toEqual([
    {
      regarding: node,
      type: 'Warning',
      reason: 'RulesRepaired',
      action: 'RepairRules',
      note: 'IPv4: fire\\u001b[2Jwalld (pid 812) changed Service rules: 2 put back, 1 mended; repaired after 17 ms',
    },
  ]);
});

test('a fight is told of when it begins and when it is over', () => {
  const { listener, events, logged, troubles } = teller();
  listener.looping('IPv6', []);
  expect(troubles.all.map(({ kind }) => kind)).toEqual(['RepairLoop']);
  listener.calm('IPv6');
  expect(troubles.all).toEqual([]);
  expect(events.map(({ type, reason, note }) => [type, reason, note])).toEqual([
    [
      'Warning',
      'RepairLoop',
      'IPv6: somebody undoes each repair of the Service rules at once; they are repaired less and less often, down to every 30 s',
    ],
    ['Normal', 'RepairLoopOver', 'IPv6: repairs hold again: the next one comes at once'],
  ]);
  expect(logged().length).toBe(2);
});

test('that nobody tells of changes is for the log alone', () => {
  const { listener, events, logged } = teller();
  listener.deaf(new Error('killed'));
  listener.listening();
  expect([logged().length, events]).toEqual([2, []]);
});
