// Which tests say what about a kernel: the files that run in a virtual machine, and the topic of each test.

import type { ProxyMode } from '../../src/model/config.ts';

/** The rows of the table for each kernel. */
export const modes: readonly ProxyMode[] = ['nftables', 'iptables'];

/** The columns of the table. */
export const topics = [
  'lab',
  'start to clean-up',
  'conformance',
  'affinity',
  'Local',
  'source ranges',
  'UDP flows',
  'drift',
  'verify',
  'clean-up',
] as const;
export type Topic = (typeof topics)[number];

type Part = {
  readonly file: string;
  readonly topic: Topic;
  /** The titles that it is about, where a file has several topics. */
  readonly titles?: RegExp;
};

const conformance = 'test/conformance/conformance.test.ts';
const packets = 'test/kernel/nftables-packets.test.ts';
const services = 'test/kernel/iptables-services.test.ts';

// The first that fits counts.
const parts: readonly Part[] = [
  { topic: 'lab', file: 'test/lab/lab.test.ts' },
  { topic: 'start to clean-up', file: 'test/kernel/start-to-cleanup.test.ts' },
  { topic: 'affinity', file: conformance, titles: /affinity/ },
  { topic: 'Local', file: conformance, titles: /local(?!host)/ },
  { topic: 'source ranges', file: conformance, titles: /source-ranges/ },
  { topic: 'UDP flows', file: conformance, titles: /udp/ },
  { topic: 'conformance', file: conformance },
  { topic: 'affinity', file: 'test/kernel/nftables-affinity.test.ts' },
  { topic: 'Local', file: packets, titles: /Local/ },
  { topic: 'source ranges', file: packets, titles: /source ranges/ },
  { topic: 'conformance', file: packets },
  { topic: 'affinity', file: services, titles: /stays with its endpoint/ },
  { topic: 'Local', file: services, titles: /Local/ },
  { topic: 'source ranges', file: services, titles: /source ranges/ },
  { topic: 'conformance', file: services },
  { topic: 'UDP flows', file: 'test/kernel/conntrack.test.ts' },
  { topic: 'drift', file: 'test/kernel/drift.test.ts' },
  { topic: 'verify', file: 'test/cli/verify.test.ts' },
  { topic: 'clean-up', file: 'test/cli/cleanup.test.ts' },
];

/** The tests that need the tools of another Debian release, which a guest has no network to get. */
const otherTools = 'Debian 13|trixie|sid|bullseye';

/** The arguments of vitest for all of them. */
export const allTests: readonly string[] = [
  ...new Set(parts.map(({ file }) => file)),
  '--testNamePattern',
  `^(?!.*(${otherTools}))`,
];

/** The topic of a test, by its file and titles. */
export function topicOf(test: {
  readonly file: string;
  readonly titles: readonly string[];
}): Topic {
  const name = test.titles.join(' ');
  const part = parts.find(
    ({ file, titles }) => file === test.file && (titles === undefined || titles.test(name)),
  );
  if (part === undefined) throw new Error(`no topic for ${test.file} > ${name}`);
  return part.topic;
}
