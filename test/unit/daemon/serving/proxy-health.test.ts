// When the rules count as following the cluster: rows 302 to 308 of kube-proxy's own health tests.
import { expect, test } from 'vitest';
import { ProxyHealth } from '../../../../src/daemon/serving/proxy-health.ts';

function stand() {
  const clock = { ms: 1000 };
  const health = new ProxyHealth({ now: () => clock.ms, syncPeriodMs: 5000 });
  return {
    health,
    pass: (seconds: number) => void (clock.ms += seconds * 1000),
    /** Such as `IPv4 ok 25s`: how it is, and when it was last in step. */
    status: () =>
      health
        .status()
        .map(({ family, isHealthy, sinceUpdateMs }) =>
          [family, isHealthy ? 'ok' : 'late', `${sinceUpdateMs / 1000}s`].join(' '),
        ),
  };
}

test('before anything was looked after it is healthy, and there is no family to tell of', () => {
  const { health, status } = stand();
  expect([health.isHealthy, status()]).toEqual([true, []]);
});

test('it is healthy for as long as nothing changes', () => {
  const { health, pass, status } = stand();
  health.updated();
  pass(25);
  expect(health.isHealthy).toBe(true);
  expect(status()).toEqual(['IPv4 ok 25s', 'IPv6 ok 25s']);
});

test.each([
  ['IPv4', ['IPv4 late 50s', 'IPv6 ok 50s']],
  ['IPv6', ['IPv4 ok 50s', 'IPv6 late 50s']],
] as const)('a change of %s that waits too long is told of there', (family, expected) => {
  const { health, pass, status } = stand();
  health.updated();
  pass(25);
  health.queued(family);
  pass(25);
  expect(health.isHealthy).toBe(false);
  expect(status()).toEqual(expected);
});

test('where both wait, both have to come in step again', () => {
  const { health, pass, status } = stand();
  health.updated();
  health.queued('IPv4');
  health.queued('IPv6');
  pass(25);
  expect([health.isHealthy, status()]).toEqual([false, ['IPv4 late 25s', 'IPv6 late 25s']]);
  health.taken();
  health.updated('IPv4');
  expect([health.isHealthy, status()]).toEqual([false, ['IPv4 ok 0s', 'IPv6 late 25s']]);
  health.updated('IPv6');
  expect([health.isHealthy, status()]).toEqual([true, ['IPv4 ok 0s', 'IPv6 ok 0s']]);
});

test('a change may wait for just less than two sync periods, counted from the first one', () => {
  const { health, pass } = stand();
  health.updated();
  health.queued();
  pass(9.999);
  health.queued();
  expect(health.isHealthy).toBe(true);
  pass(0.001);
  expect(health.isHealthy).toBe(false);
});

test('passes that fail do not make what they took up any younger', () => {
  const { health, pass } = stand();
  health.updated();
  health.queued();
  pass(6);
  health.taken();
  health.queued();
  pass(3);
  health.taken();
  expect(health.isHealthy).toBe(true);
  pass(1);
  expect(health.isHealthy).toBe(false);
});

test('a pass that began before a change does not do for it', () => {
  const { health, pass } = stand();
  health.updated();
  health.queued();
  health.taken();
  pass(4);
  health.queued();
  health.updated();
  pass(9);
  expect(health.isHealthy).toBe(true);
  pass(1);
  expect(health.isHealthy).toBe(false);
  health.taken();
  health.updated();
  expect(health.isHealthy).toBe(true);
});

test('without another period it is a minute, as in kube-proxy', () => {
  let ms = 0;
  const health = new ProxyHealth({ now: () => ms, families: ['IPv6'] });
  health.updated();
  health.queued();
  ms = 59_999;
  expect(health.isHealthy).toBe(true);
  ms += 1;
  expect(health.isHealthy).toBe(false);
  expect(health.status()).toEqual([{ family: 'IPv6', sinceUpdateMs: 60_000, isHealthy: false }]);
});
