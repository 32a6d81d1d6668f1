// The log as programs and people read it, and what the daemon says on standard error before it has one.
import { createServer } from 'node:net';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test, vi } from 'vitest';
import { BindError, UsageError } from '../../../src/errors.ts';
import { createLog } from '../../../src/serve/log.ts';
import { commandLine } from '../../support/command-line.ts';

type Options = Omit<Parameters<typeof createLog>[0], 'stream' | 'verbosity'> & {
  readonly verbosity?: number;
  readonly isTTY?: boolean;
};

/** What is written of a few lines. */
async function written({ isTTY = false, verbosity = 0, ...options }: Options): Promise<string> {
  const stream = Object.assign(new PassThrough(), { isTTY });
  const log = createLog({ stream, verbosity, ...options });
  log.debug('looked');
  log.info({ family: 'IPv4' }, 'in step');
  log.warn('odd');
  log.error('wrong');
  log.fatal('over');
  stream.end();
  return (await text(stream)).replaceAll(
    /(\d{4}-\d\d-\d\dT)?\d\d:\d\d:\d\d\.\d{3}(Z?)/g,
    '$1TIME$2',
  );
}

const json = [
  { level: 'info', family: 'IPv4', msg: 'in step' },
  { level: 'warn', msg: 'odd' },
  { level: 'error', msg: 'wrong' },
  { level: 'fatal', msg: 'over' },
];

function parsed(lines: string): readonly object[] {
  return lines
    .trim()
    .split('\n')
    .map((line) => {
      const { time: _time, ...rest } = JSON.parse(line) as { time: string };
      return rest;
    });
}

describe('the log', () => {
  test.each<[Options]>([[{}], [{ format: 'auto' }], [{ format: 'json', isTTY: true }]])(
    'with %j is JSON, with levels by name',
    async (options) => {
      expect(parsed(await written(options))).toEqual(json);
    },
  );

  test.each<[Options, string]>([
    [{ isTTY: true }, 'TIME'],
    [{ format: 'text', isTTY: true }, 'TIME'],
    [{ format: 'text' }, 'YYYY-MM-DDTTIMEZ'],
  ])('with %j is text, with levels by name', async (options, time) => {
    const lines = await written(options);
    expect(stripVTControlCharacters(lines).replaceAll(/\d{4}-\d\d-\d\d/g, 'YYYY-MM-DD')).toBe(
      [
        `${time} INFO  in step family="IPv4"`,
        `${time} WARN  odd`,
        `${time} ERROR wrong`,
        `${time} FATAL over`,
        '',
      ].join('\n'),
    );
  });

  test.each([0, 1, 2, 9])('has details from -v=2 on: %d', async (verbosity) => {
    const details = verbosity < 2 ? [] : [{ level: 'debug', msg: 'looked' }];
    expect(parsed(await written({ verbosity }))).toEqual([...details, ...json]);
  });

  test('has no stack of what the system refuses, and one of a bug', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const other = createServer().listen(port, '127.0.0.1');
    const [inUse] = (await once(other, 'error')) as [Error];
    server.close();
    const stream = new PassThrough();
    const log = createLog({ stream, verbosity: 0 });
    for (const err of [inUse, new BindError('health', 'x:1', inUse), new TypeError('no')]) {
      log.error({ err }, 'cannot');
    }
    stream.end();
    const errors = parsed(await text(stream)) as readonly { err: { stack?: string } }[];
    expect(errors.map(({ err }) => err.stack !== undefined)).toEqual([false, false, true]);
    expect(errors[0]?.err).toMatchObject({ code: 'EADDRINUSE' });
  });
});

test('an error is named as the sources name it, also where the built file does not', async () => {
  class cc extends Error {
    override readonly name = 'NetlinkError';
  }
  const stream = new PassThrough();
  createLog({ stream, verbosity: 0 }).warn({ err: new cc('no') }, 'cannot');
  stream.end();
  expect(parsed(await text(stream))).toMatchObject([
    { err: { type: 'NetlinkError', message: 'no' } },
  ]);
});

describe('what run says on standard error', () => {
  const bad: readonly (readonly [string, string[], string[]])[] = [
    ['a flag that is none', ['--metrics-bind-adress=x'], ['fatal']],
    ['two faults', ['--cluster-cidr=x', '-v=x'], ['fatal', 'fatal']],
    ['no such file of --config', ['--config=/nowhere'], ['fatal']],
    [
      'no such manifests, and a warning',
      ['--manifests=/nowhere', '--kube-api-qps=7'],
      ['warn', 'fatal'],
    ],
  ];

  test.each(bad)('is nothing but JSON in JSON: %s', async (_what, flags, levels) => {
    for (const form of [[], ['--logging-format=json']]) {
      const { exitCode, stderr } = await commandLine(['run', ...form, ...flags]);
      const lines = parsed(stderr) as readonly { level: string }[];
      const said = lines.filter(({ level }) => level !== 'info').map(({ level }) => level);
      expect([exitCode, said]).toEqual([2, levels]);
    }
  });

  test('is the reason why the daemon ends, and a bug with its stack', async () => {
    const flags = ['run', '--manifests=-', '--bind-address-hard-fail', '--before-file=/nowhere'];
    const broken = (error: Error) => () => Promise.reject(error);
    const ended = async (error: Error) => {
      const { exitCode, stdout, stderr } = await commandLine(flags, { exec: broken(error) });
      const lines = parsed(stderr) as readonly Record<string, unknown>[];
      const fatal = lines.filter(({ level }) => level === 'fatal');
      return { exitCode, stdout, fatal: fatal.map(({ time: _time, ...rest }) => rest) };
    };
    expect(await ended(new UsageError('one\ntwo'))).toEqual({
      exitCode: 2,
      stdout: '',
      fatal: [
        { level: 'fatal', msg: 'one' },
        { level: 'fatal', msg: 'two' },
      ],
    });
    expect(await ended(new TypeError('no such field'))).toEqual({
      exitCode: 2,
      stdout: '',
      fatal: [
        {
          level: 'fatal',
          err: {
            type: 'TypeError',
            message: 'no such field',
            stack: expect.stringMatching(/^TypeError: no such field\n {4}at /) as string,
          },
          msg: 'a bug of Sluice ended it',
        },
      ],
    });
  });

  test('is lines for people in text', async () => {
    const { stderr } = await commandLine(['run', '--logging-format=text', '--config=/nowhere']);
    expect(stderr).toBe('sluice: /nowhere: no such file\n');
  });

  test.each([['diff', '--manifests=/nowhere'], ['ruun'], ['run', '--cleanup', '--output=x']])(
    'is nothing to %s',
    async (...argv) => {
      expect((await commandLine(argv)).stderr).toMatch(/^sluice: /);
    },
  );
});

test('a log that says too much in a second is cut, but for what ends the process', async () => {
  vi.useFakeTimers();
  try {
    const stream = new PassThrough();
    const log = createLog({ stream, verbosity: 0, format: 'json' });
    for (let line = 0; line < 503; line += 1) log.info('much');
    log.fatal('over');
    vi.advanceTimersByTime(1000);
    stream.end();
    expect(parsed(await text(stream))).toEqual([
      ...Array.from({ length: 500 }, () => ({ level: 'info', msg: 'much' })),
      { level: 'fatal', msg: 'over' },
      { level: 'warn', lines: 3, msg: 'more than 500 lines in a second; left out' },
    ]);
  } finally {
    vi.useRealTimers();
  }
});
