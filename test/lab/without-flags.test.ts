// Sluice's own commands on the first node of a lab that `sluice lab --keep` leaves running: without a flag, each
// gives the right answer, as it asks the daemon there. Needs root.
import { PassThrough, Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { labCommand } from '../../src/cli/lab.ts';
import { execOnHost, type ExecResult } from '../../src/host/tools/exec.ts';
import { modes } from '../support/network-namespace.ts';
import type { ProxyMode } from '../../src/model/config.ts';

type Ask = (
  ...args: readonly string[]
) => Promise<Pick<ExecResult, 'stdout' | 'stderr' | 'exitCode'>>;

/** Keeps a lab until the questions are asked, by the command that the lab prints for its first node. */
async function inKeptLab(proxyMode: ProxyMode, asking: (ask: Ask) => Promise<void>): Promise<void> {
  const ending = new AbortController();
  const kept = Promise.withResolvers<readonly [file: string, ...before: string[]]>();
  const stderr = new Writable({
    write(chunk: Buffer, _, done) {
      const [, line] = /^ {2}(ip netns exec \S+-n1 \S+sluice) status$/m.exec(String(chunk)) ?? [];
      const [file, ...before] = line?.split(' ') ?? [];
      if (file !== undefined) kept.resolve([file, ...before]);
      done();
    },
  });
  const io = { stdout: new PassThrough().resume(), stderr, signal: ending.signal };
  const options = { overlay: 'host-gw', proxyMode, keep: true, output: 'text' } as const;
  const lab = labCommand(options, execOnHost, io);
  const [file, ...before] = await Promise.race([kept.promise, lab.then(neverKept)]);
  try {
    await asking(async (...args) => {
      const allowedExitCodes = [1, 2, 3];
      const { stdout, stderr, exitCode } = await execOnHost(file, [...before, ...args], {
        allowedExitCodes,
      });
      return { stdout, stderr, exitCode };
    });
  } finally {
    ending.abort();
    expect(await lab).toBe(0);
  }
}

function neverKept(): never {
  throw new Error('the lab printed no command for n1');
}

const asked = 'note: configuration and objects of the daemon at http://127.0.0.1:10247\n';

/** What explain says under `endpoints`, line by line. */
function endpointsIn(text: string): readonly string[] {
  const [, body = ''] = /\nendpoints\n((?: .*\n)+)/.exec(text) ?? [];
  return body.trimEnd().split('\n');
}

const here = 'on this node (EndpointSlice demo';
const questions: readonly (readonly [
  asked: readonly [from: string, to: string],
  endpoints: readonly string[],
])[] = [
  [
    ['outside', '203.0.113.11:80'],
    [
      `   50.0 %  10.244.1.11:8080  ${here}/near-1)`,
      `   50.0 %  10.244.1.12:8080  ${here}/near-1)`,
      '  skipped   10.244.2.11:8080  not on this node (EndpointSlice demo/near-1: endpoints[].nodeName node-2)',
    ],
  ],
  [
    ['node', 'demo/web'],
    [
      `   33.3 %  10.244.1.11:8080  ${here}/web-1)`,
      `   33.3 %  10.244.1.12:8080  ${here}/web-1)`,
      '   33.3 %  10.244.2.11:8080  on node-2 (EndpointSlice demo/web-1)',
      '  skipped   10.244.2.12:8080  not ready (EndpointSlice demo/web-1: endpoints[].conditions.ready false)',
    ],
  ],
  [['10.244.1.11', 'demo/self:http'], [`  100.0 %  10.244.1.11:8080  ${here}/self-1)`]],
  [
    ['outside', 'node:30080'],
    [
      `   33.3 %  10.244.1.11:8080  ${here}/web-1)`,
      `   33.3 %  10.244.1.12:8080  ${here}/web-1)`,
      '   33.3 %  10.244.2.11:8080  on node-2 (EndpointSlice demo/web-1)',
      '  skipped   10.244.2.12:8080  not ready (EndpointSlice demo/web-1: endpoints[].conditions.ready false)',
    ],
  ],
  [
    ['node', '[fd00:96::60]:80'],
    [
      `   50.0 %  [fd00:244:1::11]:8080  ${here}/six-1)`,
      '   50.0 %  [fd00:244:2::12]:8080  on node-2 (EndpointSlice demo/six-1)',
    ],
  ],
  [['node', 'demo/empty'], ['']],
];

test.each(modes)('in %s mode, each is right', (mode) =>
  inKeptLab(mode, async (ask) => {
    expect(await ask('verify')).toEqual({
      exitCode: 0,
      stderr: asked,
      stdout: expect.stringMatching(
        /^IPv4: all [1-9]\d+ match; IPv6: all [1-9]\d+ match\n$/,
      ) as string,
    });
    // As other programs of this name do, it prints nothing where nothing differs.
    expect(await ask('diff')).toEqual({ exitCode: 0, stderr: asked, stdout: '' });
    for (const [question, endpoints] of questions) {
      const { stdout, ...rest } = await ask('explain', ...question);
      expect({ ...rest, question, endpoints: endpointsIn(stdout) }).toEqual({
        exitCode: 0,
        stderr: asked,
        question,
        endpoints,
      });
      expect(stdout).toContain(`\nrules of ${mode} mode `);
    }
    const doctor = await ask('doctor');
    const ills = doctor.stdout.split('\n').filter((line) => !/^(✓ ok|$)/.test(line));
    expect({ ...doctor, stdout: ills }).toEqual({
      exitCode: 0,
      stderr: '',
      stdout: [expect.stringMatching(/^\d+ ok, 0 warn, 0 fail, 0 unknown$/) as string],
    });
    expect(doctor.stdout).toMatch(/^✓ ok {7}node name {9}node-1, as the daemon runs$/m);
    const status = await ask('status');
    expect({ ...status, stdout: statusIn(status.stdout) }).toEqual({
      exitCode: 0,
      stderr: '',
      stdout: {
        head: `Sluice on node-1: ${mode} mode`,
        families: ['IPv4 healthy 5 9 5 0 0', 'IPv6 healthy 1 1 2 0 0'],
      },
    });
  }),
);

/** What does not depend on time and tools. */
function statusIn(text: string) {
  const [, node, mode] = /^Sluice \S+ (on \S+: )(\w+ mode), running for /.exec(text) ?? [];
  const families = [...text.matchAll(/^(IPv[46] +healthy) +\S+ \w+ ago( +\d.*)$/gm)];
  return {
    head: `Sluice ${node}${mode}`,
    families: families.map(([, family, counts]) => `${family}${counts}`.replaceAll(/ +/g, ' ')),
  };
}
