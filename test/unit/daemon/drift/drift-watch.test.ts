// When a pass is asked for, and what is said: with passes, tools and time in the hand of the test.
import { describe, expect, test } from 'vitest';
import { missing, pass, stand, wanted } from './stand.ts';

describe('a change by others', () => {
  test('is repaired by the next pass, which is asked for at once', async () => {
    const { begin, change, pass: passOver, said, end } = stand();
    begin();
    change(812);
    expect(said()).toEqual(['nudge']);
    passOver(missing, true);
    expect(said()).toEqual(['distrust IPv4', 'repaired', 'repaired kernel 812 1']);
    await end();
  });

  test('before the first pass is not looked at: that one reads everything', async () => {
    const { ears, change, said, pass: passOver, end } = stand();
    ears[0]?.onListening();
    change(812);
    passOver([], true);
    expect(said()).toEqual([]);
    await end();
  });

  test('while the first pass goes on is looked at after it', async () => {
    const { ears, watch, change, said, end } = stand();
    ears[0]?.onListening();
    watch.began();
    change(812);
    watch.ended({ families: [pass(missing, true)] });
    expect(said()).toEqual(['nudge', 'nudge']);
    await end();
  });

  test('in another table is not looked at', async () => {
    const { begin, change, said, end } = stand();
    begin();
    for (let times = 0; times < 1000; times += 1) change(812, 'other');
    expect(said()).toEqual([]);
    await end();
  });

  test('that is not told, as more came than was read, is looked for once', async () => {
    const { begin, ears, change, pass: passOver, said, end } = stand();
    begin();
    for (let times = 0; times < 3; times += 1) {
      ears[0]?.onMessage('lost');
      change(812, 'other');
    }
    expect(said()).toEqual(['nudge']);
    passOver([], true);
    expect(said()).toEqual(['distrust IPv4', 'unchanged']);
    await end();
  });

  test('while a pass goes on is looked at after it', async () => {
    const { begin, watch, change, pass: passOver, said, end } = stand();
    begin();
    watch.began();
    change(812);
    watch.ended({ families: [pass([], false)] });
    expect(said()).toEqual(['nudge', 'nudge']);
    passOver(missing, true);
    expect(said()).toEqual(['distrust IPv4', 'repaired', 'repaired kernel 812 1']);
    await end();
  });

  test('that comes to nothing is not talked about', async () => {
    const { begin, change, pass: passOver, said, end } = stand();
    begin();
    change(812);
    passOver([], true);
    expect(said()).toEqual(['nudge', 'distrust IPv4', 'unchanged']);
    await end();
  });

  test('that could not be repaired yet is told of when it is', async () => {
    const { begin, change, pass: passOver, said, end } = stand();
    begin();
    change(812);
    passOver([], true, new Error('locked'));
    passOver(missing, true);
    expect(said()).toEqual([
      'nudge',
      'distrust IPv4',
      'failed',
      'repaired',
      'repaired kernel 812 1',
    ]);
    await end();
  });
});

test('a change in the cluster is no drift, though it is carried out by the same pass', async () => {
  const { begin, watch, change, said, end } = stand();
  begin();
  change(812);
  watch.began();
  const one = pass(missing, true);
  const update = { ...one.update, change: { before: new Map(), after: wanted } };
  watch.ended({ families: [{ ...one, update }] });
  expect(said()).toEqual(['nudge', 'distrust IPv4', 'unchanged']);
  await end();
});

test('who undoes each repair is told of once, waited for, and told of when he stops', async () => {
  const { clock, begin, change, pass: passOver, said, end } = stand();
  begin();
  const all: string[] = [];
  for (let round = 0; round < 8; round += 1) {
    change(812);
    await clock.advance(round > 5 ? 20_000 : 0);
    passOver(missing, true);
    all.push(...said().filter((word) => !/^(nudge|distrust)/.test(word)));
  }
  expect(all.filter((word) => word === 'looping')).toEqual(['looping']);
  expect(all.filter((word) => word === 'delayed').length).toBe(2);
  expect(all.at(-1)).toBe('repaired');
  await clock.advance(60_000);
  expect(said()).toEqual(['calm']);
  await end();
});

describe('the kernel', () => {
  test('that is heard no more is said once, and listened to again and again; what was missed is looked for', async () => {
    const { clock, begin, ears, said, end } = stand();
    begin();
    ears[0]?.end(new Error('closed'));
    await clock.advance(0);
    expect(said()).toEqual(['deaf: closed']);
    await clock.advance(1000);
    ears[1]?.end(new Error('again'));
    await clock.waiting(2000);
    await clock.advance(1999);
    expect([ears.length, said()]).toEqual([2, []]);
    await clock.advance(1);
    expect(ears.length).toBe(3);
    ears[2]?.onListening();
    expect(said()).toEqual(['listening', 'nudge']);
    await end();
  });

  test('is heard, or cannot be, before the first pass begins', async () => {
    const heard = stand();
    const isReady = (): Promise<string> =>
      Promise.race([
        heard.watch.prepare().then(() => 'ready'),
        heard.clock.advance(0).then(() => ''),
      ]);
    expect(await isReady()).toBe('');
    heard.ears[0]?.onListening();
    expect(await isReady()).toBe('ready');
    await heard.end();
    const refused = stand();
    refused.ears[0]?.end(new Error('not allowed'));
    await refused.watch.prepare();
    expect(refused.said()).toEqual(['deaf: not allowed']);
    await refused.end();
    const untold = stand('untold');
    await untold.watch.prepare();
    await untold.end();
  });

  test('does not keep the proxy from stopping', async () => {
    const { watch, end } = stand();
    await end();
    await watch.prepare();
  });
});
