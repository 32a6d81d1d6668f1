// Which differences changes in the cluster, or the proxy mode, explain.
import { expect, test } from 'vitest';
import type { FrontendAddress } from '../../../src/model/forwarding.ts';
import type { Ip } from '../../../src/model/ip.ts';
import type { TracedOutcome } from '../../../src/netfilter/kube-proxy/outcome.ts';
import type { Verdict } from '../../../src/netfilter/trace.ts';
import { explainedBy } from '../../../src/takeover/explained.ts';
import { clusterObjects } from '../../support/service-objects.ts';

const at = (ip: string): FrontendAddress => ({ ip: ip as Ip, protocol: 'tcp', port: 80 });
const to = (last: number, isMasqueraded = false): TracedOutcome => ({
  verdict: 'forwarded',
  endpoint: { ip: `10.244.1.${last}` as Ip, port: 8080 },
  isMasqueraded,
  share: 1,
  why: [],
});
const end = (verdict: Verdict | 'unknown'): TracedOutcome => ({
  ...to(0),
  verdict,
  endpoint: undefined,
});

// Of web 1 and 2 are ready; another Service has 3; 9 is nobody's any more.
const objects = clusterObjects([
  { name: 'web', ip: '10.96.0.10', endpoints: ['10.244.1.1', '10.244.1.2'] },
  { name: 'api', ip: '10.96.0.20', endpoints: ['10.244.1.3'] },
]);
const [web, api, old, fresh] = ['10', '20', '30', '40'].map((last) => at(`10.96.0.${last}`));
const theirs = [web, api, old].flatMap((one) => one ?? []);
const ours = [web, api, fresh].flatMap((one) => one ?? []);

type Case = readonly [
  what: string,
  ip: string,
  theirs: readonly TracedOutcome[],
  ours: readonly TracedOutcome[],
  isExplained: boolean,
];

const cases: readonly Case[] = [
  ['an endpoint is gone', '10.96.0.10', [to(1), to(9)], [to(1)], true],
  ['an endpoint came', '10.96.0.10', [to(1)], [to(1), to(2)], true],
  ['others in their place', '10.96.0.10', [to(9)], [to(1), to(2)], true],
  ['all are gone', '10.96.0.10', [to(9)], [end('rejected')], true],
  ['they had none', '10.96.0.10', [end('rejected')], [to(1)], true],
  ['a Service was deleted', '10.96.0.30', [to(9)], [end('untouched')], true],
  ['a Service is new', '10.96.0.40', [end('untouched')], [to(1)], true],
  ['an endpoint that is there is left out', '10.96.0.10', [to(1), to(2)], [to(1)], false],
  ['all that are there are left out', '10.96.0.10', [to(1)], [end('dropped')], false],
  ['somebody is let in', '10.96.0.10', [end('dropped')], [to(1)], false],
  ['the source is replaced', '10.96.0.10', [to(1), to(9)], [to(1, true)], false],
  ['shares differ', '10.96.0.10', [to(1)], [{ ...to(1), share: 0.5 }], false],
  ['a rule is not understood', '10.96.0.30', [end('unknown')], [end('untouched')], false],
  ['nobody answers in another way', '10.96.0.10', [end('untouched')], [end('rejected')], false],
];

const packet = { origin: 'elsewhere', interface: '', source: '198.51.100.1' as Ip } as const;

function judge([, ip, before, after]: Case, isSameMode = true, known = { theirs, ours }): boolean {
  const judged = explainedBy(objects, { known, isSameMode });
  return judged({
    packet: { ...packet, ...at(ip), destination: ip as Ip },
    theirs: before,
    ours: after,
  });
}

test.each(cases)('%s', (...one) => {
  expect(judge(one)).toBe(one[4]);
});

test('where nobody answers in either mode, the mode explains it', () => {
  expect(judge(cases.at(-1) as Case, false)).toBe(true);
});

test('rules of another cluster are not explained by this one', () => {
  const strange = { theirs: [at('10.96.9.1'), at('10.96.9.2'), at('10.96.0.10')], ours };
  const gone: Case = ['', '10.96.9.1', [to(9)], [end('untouched')], false];
  expect(judge(gone, true, strange)).toBe(false);
});
