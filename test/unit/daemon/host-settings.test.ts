// Connection tracking as configured, also where nf_conntrack comes with the first rules.
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { hostSettingsPart } from '../../../src/daemon/host-settings.ts';
import type { Pass } from '../../../src/daemon/pass.ts';
import type { KernelFiles } from '../../../src/host/kernel/conntrack-sysctls.ts';

const timeout = '/proc/sys/net/netfilter/nf_conntrack_udp_timeout';
const conntrack = {
  maxPerCore: 0,
  min: 0,
  tcpEstablishedTimeoutMs: 0,
  tcpCloseWaitTimeoutMs: 0,
  tcpBeLiberal: false,
  udpTimeoutMs: 5000,
  udpStreamTimeoutMs: 0,
};
const pass = { families: [{ family: 'IPv4', error: undefined }] } as unknown as Pass;
const config = { conntrack, oomScoreAdj: 0 };

/** Files as the kernel has them, and a log that is kept. */
function host(present: Map<string, string>) {
  const warnings: unknown[] = [];
  const write = (line: string): void => {
    const { setting, error } = JSON.parse(line) as Record<string, unknown>;
    warnings.push({ setting, error });
  };
  const fault = (file: string): Error =>
    Object.assign(new Error(`ENOENT ${file}`), { code: 'ENOENT' });
  const files: KernelFiles = {
    read: async (file) => present.get(file) ?? Promise.reject(fault(file)),
    async write(file, text) {
      if (!present.has(file)) throw fault(file);
      present.set(file, text);
    },
  };
  return { files, log: pino({ base: null }, { write }), warnings };
}

const oomScore = ['/proc/self/oom_score_adj', '0'] as const;

test('a setting that comes with the first rules is set then, and nothing is said', async () => {
  const present = new Map<string, string>([oomScore]);
  const { files, log, warnings } = host(present);
  const part = hostSettingsPart({ config, files, log });
  await part.prepare?.();
  present.set(timeout, '30');
  await part.ended?.(pass);
  expect(present.get(timeout)).toBe('5');
  // Whoever changes it afterwards is not overruled.
  present.set(timeout, '60');
  await part.ended?.(pass);
  expect(present.get(timeout)).toBe('60');
  expect(warnings).toEqual([]);
});

test('one that is still missing then is said once', async () => {
  const { files, log, warnings } = host(new Map([oomScore]));
  const part = hostSettingsPart({ config, files, log });
  await part.prepare?.();
  expect(warnings).toEqual([]);
  await part.ended?.(pass);
  await part.ended?.(pass);
  expect(warnings).toEqual([
    { setting: 'net.netfilter.nf_conntrack_udp_timeout', error: `ENOENT ${timeout}` },
  ]);
});
