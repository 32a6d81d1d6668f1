// Bytes to events: lines cut out of chunks that end anywhere, and what a line may say.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LineCutter, type Line } from '../../src/cluster/api/watch/lines.ts';
import {
  parseWatchEvent,
  watchEvents,
  type WatchEvent,
} from '../../src/cluster/api/watch/watch-event.ts';
import { bodyOf, recordings } from './recordings.ts';

function cut(chunks: readonly Buffer[], longest = 1000): readonly Line[] {
  const cutter = new LineCutter(longest);
  return chunks.flatMap((chunk) => [...cutter.cut(chunk)]);
}

/** The bytes in pieces of the given sizes, over and over. */
function pieces(text: string, sizes: readonly number[]): readonly Buffer[] {
  const bytes = Buffer.from(text);
  const chunks: Buffer[] = [];
  for (let from = 0, n = 0; from < bytes.length; n += 1) {
    const size = sizes[n % sizes.length] ?? 1;
    chunks.push(bytes.subarray(from, from + size));
    from += size;
  }
  return chunks;
}

async function* streamOf(chunks: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* chunks;
}

async function eventsIn(
  chunks: readonly Buffer[],
  longest?: number,
): Promise<readonly WatchEvent[]> {
  const batches: WatchEvent[][] = [];
  for await (const events of watchEvents(streamOf(chunks), longest)) batches.push([...events]);
  expect(batches.every((events) => events.length > 0)).toBe(true);
  return batches.flat();
}

describe('lines', () => {
  test('are whole wherever chunks end, also within characters', () => {
    const line = fc
      .string({ unit: 'binary', maxLength: 20 })
      .map((text) => text.replaceAll('\n', ''));
    const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(fc.array(line), sizes, (lines, chunkSizes) => {
        const text = lines.map((each) => `${each}\n`).join('');
        const expected = lines.map((each) => Buffer.from(each).toString());
        const found = cut(pieces(text, chunkSizes));
        expect(found).toEqual(expected.map((each) => ({ kind: 'line', text: each })));
      }),
    );
  });

  test.each([[[4]], [[2, 3]], [[100]]])('of at most the limit pass, in chunks of %j', (sizes) => {
    expect(cut(pieces('12345\n12345\n', sizes), 5)).toEqual([
      { kind: 'line', text: '12345' },
      { kind: 'line', text: '12345' },
    ]);
  });

  test.each([[[4]], [[1]], [[100]]])('that are longer are the last, in chunks of %j', (sizes) => {
    const found = cut(pieces('12345\n123456\n', sizes), 5).slice(0, 2);
    expect(found).toEqual([{ kind: 'line', text: '12345' }, { kind: 'too-long' }]);
  });
});

describe('the events of a stream', () => {
  const watches = [...recordings.values()].filter(({ request }) => /watch=true/.test(request.path));

  test.each(watches)('as recorded: $name, in chunks of any size', async ({ name, response }) => {
    const whole = await eventsIn(response.chunks.map(({ data }) => Buffer.from(data)));
    expect(whole).toHaveLength(bodyOf(name).split('\n').length - 1);
    expect(whole.filter(({ kind }) => kind === 'unreadable')).toEqual([]);
    for (const size of [1, 7, 1000, 100_000]) {
      expect(await eventsIn(pieces(bodyOf(name), [size]))).toEqual(whole);
    }
  });

  test('that ends in the middle of a line says so', async () => {
    const events = await eventsIn([Buffer.from('{"type":"ADDED"')]);
    const why = 'the stream ended in the middle of a line';
    expect(events).toEqual([{ kind: 'unreadable', why }]);
  });

  test('with a line that is too long says so, after what came before it', async () => {
    const bookmark = '{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"7"}}}\n';
    const events = await eventsIn([Buffer.from(`${bookmark}${'x'.repeat(200)}\n`)], 100);
    expect(events).toEqual([
      { kind: 'bookmark', version: '7', endsInitial: false },
      { kind: 'unreadable', why: 'a line is longer than 100 bytes' },
    ]);
  });
});

describe('a line', () => {
  const at = { metadata: { name: 'a', resourceVersion: '7' } };

  test.each([
    ['ADDED', { kind: 'set', object: at, version: '7' }],
    ['MODIFIED', { kind: 'set', object: at, version: '7' }],
    ['DELETED', { kind: 'delete', object: at, version: '7' }],
    ['BOOKMARK', { kind: 'bookmark', version: '7', endsInitial: false }],
  ])('of type %s', (type, event) => {
    expect(parseWatchEvent(JSON.stringify({ type, object: at }))).toEqual(event);
  });

  test('that ends the first events', () => {
    expect(
      parseWatchEvent(bodyOf('watch-list-services').trimEnd().split('\n').at(-1) ?? ''),
    ).toEqual({
      kind: 'bookmark',
      version: '2229',
      endsInitial: true,
    });
  });

  test('that gives up the watch', () => {
    expect(parseWatchEvent(bodyOf('watch-too-old'))).toEqual({
      kind: 'error',
      code: 410,
      message: '"too old resource version: 1 (1206)"',
    });
    expect(parseWatchEvent('{"type":"ERROR","object":{"code":"x","message":7}}')).toEqual({
      kind: 'error',
      code: 0,
      message: '""',
    });
  });

  test.each([
    '',
    'null',
    '7',
    '[]',
    '{}',
    '{"type":"ADDED"}',
    '{"type":"ADDED","object":null}',
    '{"type":"ADDED","object":{"metadata":{"resourceVersion":7}}}',
    '{"type":"ADDED","object":{"metadata":{"resourceVersion":""}}}',
    '{"type":"ADDED","object":{"metadata":[]}}',
    '{"type":"BOOKMARK","object":{}}',
    '{"type":"__proto__","object":{"metadata":{"resourceVersion":"7"}}}',
    '{"object":{"metadata":{"resourceVersion":"7"}}}',
    '\u001b[31m',
  ])('that cannot be read: %j', (line) => {
    const event = parseWatchEvent(line);
    expect(event.kind).toBe('unreadable');
    expect(event.kind === 'unreadable' ? event.why : '').not.toContain('\u001b');
  });
});
