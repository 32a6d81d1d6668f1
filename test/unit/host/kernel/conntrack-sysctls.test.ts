// Which settings of connection tracking are written: rows 285 to 291 of kube-proxy's own tests.
import { cpus } from 'node:os';
import { describe, expect, test } from 'vitest';
import {
  applyKernelSettings,
  conntrackMax,
  conntrackSettings,
  coresIn,
  countCores,
  type KernelFiles,
} from '../../../../src/host/kernel/conntrack-sysctls.ts';
import type { ConntrackConfig } from '../../../../src/model/config.ts';

const nothing: ConntrackConfig = {
  maxPerCore: 0,
  min: 0,
  tcpEstablishedTimeoutMs: 0,
  tcpCloseWaitTimeoutMs: 0,
  tcpBeLiberal: false,
  udpTimeoutMs: 0,
  udpStreamTimeoutMs: 0,
};
const hashSize = '/sys/module/nf_conntrack/parameters/hashsize';
const netfilter = '/proc/sys/net/netfilter/nf_conntrack_';

/** Files that hold these numbers, what is written to them, and which of them refuse that. */
function filesWith(numbers: Readonly<Record<string, number>>, readOnly: readonly string[] = []) {
  const written: string[] = [];
  const files: KernelFiles = {
    async read(file) {
      const number = numbers[file];
      if (number === undefined) throw new Error(`ENOENT ${file}`);
      return `${number}\n`;
    },
    async write(file, text) {
      if (readOnly.includes(file)) throw new Error(`EACCES ${file}`);
      written.push(`${file} ${text}`);
    },
  };
  return { files, written };
}

const settings = (config: Partial<ConntrackConfig>, cores = 4): readonly string[] =>
  conntrackSettings({ ...nothing, ...config }, cores).map(({ file, value }) => `${file} ${value}`);

describe('the number of connections', () => {
  test.each([
    [0, 0, 4, 0],
    [67_890, 1, 4, 271_560],
    [67_890, 1, 512, 1_048_576],
    [1, 123_456, 4, 123_456],
    [0, 123_456, 4, 0],
    [32_768, 131_072, 512, 1_048_576],
    [32_768, 131_072, 2, 131_072],
    // A minimum of more than the most that is scaled to counts where the scaled number is not cut.
    [1, 2_000_000, 4, 2_000_000],
    [1_048_576, 2_000_000, 2, 1_048_576],
  ])('at %i per core, at least %i, on %i cores is %i', (maxPerCore, min, cores, max) => {
    expect(conntrackMax({ maxPerCore, min }, cores)).toBe(max);
  });
});

describe('what is written', () => {
  test('where nothing is configured is nothing', () => {
    expect(settings({})).toEqual([]);
  });

  test('for a number per core is the maximum, and buckets enough for it', () => {
    expect(settings({ maxPerCore: 12 })).toEqual([`${netfilter}max 48`, `${hashSize} 12`]);
    expect(settings({ maxPerCore: 0, min: 100 })).toEqual([]);
  });

  test.each([
    ['tcpEstablishedTimeoutMs', 'tcp_timeout_established'],
    ['tcpCloseWaitTimeoutMs', 'tcp_timeout_close_wait'],
    ['udpTimeoutMs', 'udp_timeout'],
    ['udpStreamTimeoutMs', 'udp_timeout_stream'],
  ])('for %s is the timeout in seconds, or nothing for 0', (field, name) => {
    expect(settings({ [field]: 5000 })).toEqual([`${netfilter}${name} 5`]);
    expect(settings({ [field]: 0 })).toEqual([]);
  });

  test('for tcpBeLiberal is 1, and never 0', () => {
    expect(settings({ tcpBeLiberal: true })).toEqual([`${netfilter}tcp_be_liberal 1`]);
    expect(settings({ tcpBeLiberal: false })).toEqual([]);
  });

  test('comes in the order of kube-proxy', () => {
    const all = {
      maxPerCore: 1024,
      tcpEstablishedTimeoutMs: 86_400_000,
      tcpCloseWaitTimeoutMs: 3_600_000,
      tcpBeLiberal: true,
      udpTimeoutMs: 30_500,
      udpStreamTimeoutMs: 120_000,
    };
    expect(settings(all)).toEqual([
      `${netfilter}max 4096`,
      `${hashSize} 1024`,
      `${netfilter}tcp_timeout_established 86400`,
      `${netfilter}tcp_timeout_close_wait 3600`,
      `${netfilter}tcp_be_liberal 1`,
      `${netfilter}udp_timeout 30`,
      `${netfilter}udp_timeout_stream 120`,
    ]);
  });
});

describe('a setting', () => {
  const wanted = conntrackSettings({ ...nothing, maxPerCore: 1000, udpTimeoutMs: 5000 }, 4);

  test('that is as it should be is left alone', async () => {
    const { files, written } = filesWith({
      [`${netfilter}max`]: 4000,
      [hashSize]: 1000,
      [`${netfilter}udp_timeout`]: 5,
    });
    expect(await applyKernelSettings(wanted, files)).toEqual([]);
    expect(written).toEqual([]);
  });

  test('that differs is written; more buckets than needed stay', async () => {
    const { files, written } = filesWith({
      [`${netfilter}max`]: 8000,
      [hashSize]: 2000,
      [`${netfilter}udp_timeout`]: 30,
    });
    expect(await applyKernelSettings(wanted, files)).toEqual([]);
    expect(written).toEqual([`${netfilter}max 4000`, `${netfilter}udp_timeout 5`]);
  });

  test('that cannot be written, or is not there, is told of, and the others are written', async () => {
    const max = `${netfilter}max`;
    const { files, written } = filesWith({ [max]: 1, [`${netfilter}udp_timeout`]: 30 }, [max]);
    const failed = await applyKernelSettings(wanted, files);
    expect(failed.map(({ setting, error }) => [setting.name, error.message])).toEqual([
      ['net.netfilter.nf_conntrack_max', `EACCES ${max}`],
      [hashSize, `ENOENT ${hashSize}`],
    ]);
    expect(written).toEqual([`${netfilter}udp_timeout 5`]);
  });
});

test.each([
  ['0', 1],
  ['0-3', 4],
  ['0-3,6', 5],
  ['0-3,6-7\n', 6],
  ['', 0],
  ['x', 0],
])('a list of processors, %j, names %i', (list, cores) => {
  expect(coresIn(list)).toBe(cores);
});

test('where the kernel has no list, Node says how many processors there are', async () => {
  const { files } = filesWith({});
  expect(await countCores(files)).toBe(cpus().length);
  const listed = { read: async () => '0-511\n' };
  expect(await countCores(listed)).toBe(512);
});
