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
  /** The names of the tests that run in a guest. */
  readonly names: string;
};

const conformance = 'test/conformance/conformance.test.ts';
// A guest is some fifty times slower than its host: all of the conformance, with the guest's own nft and its own
// iptables, and of the rest what the kernel bears on. The first whose names fit counts.
const cases = (names: string): string => `^(nftables in text.*|iptables) > .*${names}`;

const parts: readonly Part[] = [
  { topic: 'lab', file: 'test/lab/lab.test.ts', names: '^a lab over (host-gw|vxlan) ' },
  {
    topic: 'start to clean-up',
    file: 'test/kernel/start-to-cleanup.test.ts',
    names: ' from the start to the clean-up$',
  },
  { topic: 'affinity', file: conformance, names: cases('affinity') },
  { topic: 'Local', file: conformance, names: cases('local(?!host)') },
  { topic: 'source ranges', file: conformance, names: cases('source-ranges') },
  { topic: 'UDP flows', file: conformance, names: cases('udp') },
  { topic: 'conformance', file: conformance, names: cases('') },
  {
    topic: 'drift',
    file: 'test/kernel/drift.test.ts',
    names:
      '^with (nftables|iptables) > a (chain flushed|chain of ours flushed|rule inserted) is put right',
  },
  {
    topic: 'verify',
    file: 'test/cli/verify.test.ts',
    names: '^with \\w+ > a kernel that matches$',
  },
  { topic: 'clean-up', file: 'test/cli/cleanup.test.ts', names: '^with \\w+ > only what is ours ' },
];

/** The arguments of vitest for all of them. */
export const allTests: readonly string[] = [
  ...new Set(parts.map(({ file }) => file)),
  '--testNamePattern',
  parts.map(({ names }) => `(${names})`).join('|'),
];

/** The topic of a test, by its file and titles; of a file that could not be loaded, its last one. */
export function topicOf({
  file,
  titles,
}: {
  readonly file: string;
  readonly titles: readonly string[];
}): Topic {
  const name = titles.join(' > ');
  const ofFile = parts.filter((part) => part.file === file);
  const part = ofFile.find(({ names }) => new RegExp(names).test(name)) ?? ofFile.at(-1);
  if (part === undefined) throw new Error(`no topic for ${file} > ${name}`);
  return part.topic;
}
