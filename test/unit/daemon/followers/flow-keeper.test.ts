// When stale flows are let go of: beside the passes, one removal at a time, and by the rules as they are
// by then.
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { MissingToolError } from '../../../../src/errors.ts';
import type { FlowSelection, Removal } from '../../../../src/host/netfilter/conntrack.ts';
import { FlowKeeper } from '../../../../src/daemon/followers/flow-keeper.ts';

type Call = FlowSelection & {
  readonly end: (removal: Removal) => void;
  readonly fail: (error: Error) => void;
};

/** A keeper whose removals end when the test says so. */
function stand() {
  const calls: Call[] = [];
  const lines: { level: number; msg: string; remedy?: string; removed?: number }[] = [];
  const ended = new AbortController();
  const keeper = new FlowKeeper({
    remove(selection) {
      const { promise, resolve, reject } = Promise.withResolvers<Removal>();
      calls.push({ ...selection, end: resolve, fail: reject });
      return promise;
    },
    view: () => ({ frontendAt: () => undefined, takesNodePorts: () => false }),
    log: pino({ level: 'debug' }, { write: (line: string) => void lines.push(JSON.parse(line)) }),
    signal: ended.signal,
  });
  const started = (): readonly string[] =>
    calls.map(({ family, protocol, ports }) => `${family} ${protocol} ${[...ports].join()}`);
  return { keeper, calls, lines, ended, started };
}

const done: Removal = { removed: 0, isCut: false };
const dns = new Set(['udp 10.96.0.53 53']);
const ntp = new Set(['udp 10.96.0.23 123']);

/** Lets what is ready to go on go on. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a keeper', () => {
  test('runs one removal at a time, and the next one for all that came meanwhile', async () => {
    const { keeper, calls, started } = stand();
    keeper.add('IPv4', dns);
    keeper.add('IPv4', ntp);
    keeper.add('IPv4', dns);
    expect(started()).toEqual(['IPv4 udp 53']);
    calls[0]?.end(done);
    await settled();
    expect(started()).toEqual(['IPv4 udp 53', 'IPv4 udp 123,53']);
    calls[1]?.end(done);
    await keeper.idle();
  });

  test('looks at each protocol that it is to look at, and at no table for nothing', async () => {
    const { keeper, calls, started } = stand();
    keeper.add('IPv4', new Set());
    expect(started()).toEqual([]);
    keeper.add('IPv6', new Set(['sctp node 30053', 'udp fd00:96::1 53']));
    calls[0]?.end(done);
    await settled();
    calls[1]?.end(done);
    await keeper.idle();
    expect(started()).toEqual(['IPv6 udp 53', 'IPv6 sctp 30053']);
  });

  test('tries again with the next pass what failed, and warns once', async () => {
    const { keeper, calls, lines, started } = stand();
    keeper.add('IPv4', dns);
    calls[0]?.fail(new MissingToolError('conntrack', 'apt-get install -y conntrack'));
    await keeper.idle();
    keeper.goOn();
    expect(started()).toEqual(['IPv4 udp 53', 'IPv4 udp 53']);
    calls[1]?.fail(new MissingToolError('conntrack', 'apt-get install -y conntrack'));
    await keeper.idle();
    keeper.add('IPv4', ntp);
    expect(started()[2]).toBe('IPv4 udp 123,53');
    calls[2]?.end({ removed: 3, isCut: false });
    await keeper.idle();
    keeper.goOn();
    expect(calls).toHaveLength(3);
    expect(
      lines.map(({ level, msg, remedy, removed }) => ({ level, msg, remedy, removed })),
    ).toEqual([
      { level: 40, msg: 'stale conntrack flows stay', remedy: 'apt-get install -y conntrack' },
      { level: 30, msg: 'removed stale conntrack flows', removed: 3 },
    ]);
  });

  test('goes on later where a removal reached its limit', async () => {
    const { keeper, calls, lines, started } = stand();
    keeper.add('IPv4', dns);
    calls[0]?.end({ removed: 250, isCut: true });
    await keeper.idle();
    expect(lines.map(({ level, msg }) => [level, msg])).toEqual([
      [30, 'removed stale conntrack flows'],
      [40, 'more stale conntrack flows are left for later'],
    ]);
    keeper.goOn();
    expect(started()).toEqual(['IPv4 udp 53', 'IPv4 udp 53']);
    calls[1]?.end(done);
    await keeper.idle();
  });

  test('starts nothing more once it is to end, and says nothing of what that broke off', async () => {
    const { keeper, calls, lines, ended, started } = stand();
    keeper.add('IPv4', dns);
    keeper.add('IPv6', ntp);
    ended.abort();
    calls[0]?.fail(new Error('aborted'));
    await keeper.idle();
    keeper.add('IPv4', ntp);
    expect(started()).toEqual(['IPv4 udp 53']);
    expect(lines).toEqual([]);
  });
});
