// When a pass is asked for, and what is said: with passes, tools and time in the hand of the test.
import { describe, expect, test } from 'vitest';
import { missing, pass, stand, wanted } from './stand.ts';

describe('a change by others', () => {
  test('is repaired by the next pass, which is asked for at once', async () => {
    const { begin, change, pass: passOver, said, end } = stand();
    await begin();
    change(812);
    expect(said()).toEqual(['nudge']);
    passOver(missing, true);
    expect(said()).toEqual(['distrust IPv4', 'repaired', 'repaired monitor 812 1']);
    await end();
  });

  test('before the first pass is not listened to: that one reads everything', async () => {
    const { clock, begin, monitors, end } = stand();
    await clock.advance(30_000);
    expect(monitors).toHaveLength(0);
    await begin();
    expect(monitors).toHaveLength(1);
    await end();
  });

  test('while a pass goes on is looked at after it', async () => {
    const { begin, watch, change, pass: passOver, said, end } = stand();
    await begin();
    watch.began();
    change(812);
    watch.ended({ families: [pass([], false)] });
    expect(said()).toEqual(['nudge', 'nudge']);
    passOver(missing, true);
    expect(said()).toEqual(['distrust IPv4', 'repaired', 'repaired monitor 812 1']);
    await end();
  });

  test('that comes to nothing is not talked about', async () => {
    const { begin, change, pass: passOver, said, end } = stand();
    await begin();
    change(812);
    passOver([], true);
    expect(said()).toEqual(['nudge', 'distrust IPv4', 'unchanged']);
    await end();
  });

  test('that could not be repaired yet is told of when it is', async () => {
    const { begin, change, pass: passOver, said, end } = stand();
    await begin();
    change(812);
    passOver([], true, new Error('locked'));
    passOver(missing, true);
    expect(said()).toEqual([
      'nudge',
      'distrust IPv4',
      'failed',
      'repaired',
      'repaired monitor 812 1',
    ]);
    await end();
  });
});

test('a change in the cluster is no drift, though it is carried out by the same pass', async () => {
  const { begin, watch, change, said, end } = stand();
  await begin();
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
  await begin();
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

describe('nft monitor', () => {
  test('that ends is said once, started again and again, and what was missed is looked for', async () => {
    const { clock, begin, monitors, said, end } = stand();
    await begin();
    monitors[0]?.end(new Error('killed'));
    await clock.advance(0);
    expect(said()).toEqual(['deaf: killed']);
    await clock.advance(1000);
    monitors[1]?.end(new Error('again'));
    await clock.waiting(2000);
    await clock.advance(1999);
    expect([monitors.length, said()]).toEqual([2, []]);
    await clock.advance(1);
    expect(monitors.length).toBe(3);
    monitors[2]?.onListening();
    expect(said()).toEqual(['listening', 'nudge']);
    await end();
  });

  test('is ready when it listens, or cannot', async () => {
    const { clock, watch, monitors, pass: passOver, end } = stand();
    const ready = watch.quiet();
    passOver([], true);
    await clock.advance(0);
    monitors[0]?.onListening();
    await ready;
    await end();
    const other = stand('none');
    await other.watch.quiet();
    await other.end();
  });

  test('has the rules looked at where they were flushed before it listened', async () => {
    const { clock, kernel, monitors, pass: passOver, said, end } = stand();
    passOver([], true);
    await clock.advance(0);
    kernel.canaries = false;
    monitors[0]?.onListening();
    await clock.advance(0);
    expect(said()).toEqual(['nudge']);
    passOver(missing, true);
    expect(said()).toEqual(['distrust IPv4', 'repaired', 'repaired canary  1']);
    await end();
  });
});
