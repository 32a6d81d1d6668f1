// How the end-to-end test of a live cluster judges what a pod heard.
import { expect, test } from 'vitest';
import type { ApiClient } from '../e2e/api-client.ts';
import { findingLine, settle, type Question } from '../e2e/question.ts';

const pod = { set: 'pods', name: 'p', nodeName: 'n', ips: ['10.0.0.1'], hostname: 'p' } as const;
const empty = { what: 'empty ClusterIP', from: pod, host: '10.96.0.1', port: 80 } as const;
const expected = ['refused'];

const refused = 'dial udp 10.96.0.1:80: connect: connection refused';
const notPermitted = 'write udp 10.0.0.9:4711->10.96.0.1:80: write: operation not permitted';
const silent = 'read udp 10.0.0.9:4711->10.96.0.1:80: i/o timeout';

type Dialled = { readonly responses?: readonly string[]; readonly errors?: readonly string[] };

async function heard(question: Question, dialled: Dialled): Promise<readonly [boolean, string]> {
  // Nothing but the API server is not there.
  const client = { request: async () => dialled } as unknown as ApiClient;
  const { signal } = new AbortController();
  const finding = await settle(question, { client, namespace: 'x', signal, withinMs: 0 });
  const [, answers = ''] =
    / 10\.96\.0\.1:80: (.*?)( WRONG.*| OK)$/.exec(findingLine(finding)) ?? [];
  return [finding.isAsExpected, answers];
}

test.each<[protocol: 'http' | 'udp', dialled: Dialled, isRight: boolean, answers: string]>([
  ['udp', { errors: [refused, refused] }, true, 'refused 2x'],
  // Refused at this node's output hook.
  ['udp', { errors: [notPermitted, notPermitted] }, true, 'refused 2x'],
  // Most ICMP errors were not sent.
  ['udp', { errors: [refused, silent, silent] }, true, 'refused 1x, no answer 2x'],
  ['udp', { errors: [silent, silent] }, false, 'no answer 2x'],
  ['udp', { errors: [refused], responses: ['p'] }, false, 'p 1x, refused 1x'],
  // TCP asks again.
  ['http', { errors: [refused, silent] }, false, 'refused 1x, no answer 1x'],
  ['http', { errors: [refused] }, true, 'refused 1x'],
])('a Service without endpoints over %s: %j', async (protocol, dialled, isRight, answers) => {
  expect(await heard({ ...empty, protocol, expected }, dialled)).toEqual([isRight, answers]);
});

test('where an answer is due, silence and refusals are wrong', async () => {
  const question = { ...empty, protocol: 'udp', expected: ['p'] } as const;
  expect(await heard(question, { responses: ['p'], errors: [silent] })).toEqual([
    false,
    'p 1x, no answer 1x',
  ]);
  expect(await heard(question, { responses: ['p'], errors: [notPermitted] })).toEqual([
    false,
    'p 1x, refused 1x',
  ]);
});
