// What the tests in a virtual machine came to. In: what a guest sent, and which tests are about what. Out: how
// many passed and failed by topic and proxy mode.
import type { ProxyMode } from '../../src/model/config.ts';
import { modes, type Topic, topicOf, topics } from './topics.ts';

/** The versions of a guest's tools, as they print them. */
export type Versions = {
  readonly kernel: string;
  readonly nft: string;
  readonly iptables: string;
};

/** One test that was run. */
export type TestResult = {
  /** Below the checkout. */
  readonly file: string;
  /** Those of its describes and its own. */
  readonly titles: readonly string[];
  readonly failures: readonly string[];
};

export type GuestReport = { readonly versions: Versions; readonly results: readonly TestResult[] };

// What is used of vitest's JSON report: https://vitest.dev/guide/reporters.html#json-reporter
type VitestReport = {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: 'passed' | 'failed';
    readonly message: string;
    readonly assertionResults: readonly {
      readonly ancestorTitles: readonly string[];
      readonly title: string;
      readonly status: 'passed' | 'failed' | 'skipped' | 'pending' | 'todo';
      readonly failureMessages?: readonly string[];
    }[];
  }[];
};

/** Reads what a guest sent; throws where that is not whole. */
export function parseReport(text: string): GuestReport {
  const [versions, report] = text.split('\n');
  if (!versions || !report) throw new Error('the guest sent no report');
  return {
    versions: versionsOf(JSON.parse(versions) as Versions),
    results: resultsOf(JSON.parse(report) as VitestReport),
  };
}

function versionsOf({ kernel, nft, iptables }: Versions): Versions {
  const version = (text: string): string => /\d+(\.\d+)+/.exec(text)?.[0] ?? text;
  return { kernel, nft: version(nft), iptables: version(iptables) };
}

function resultsOf({ testResults }: VitestReport): readonly TestResult[] {
  return testResults.flatMap(({ name, message, status, assertionResults }) => {
    const file = name.replace(/^.*?\/(?=test\/)/, '');
    const run = assertionResults.filter((test) => ['passed', 'failed'].includes(test.status));
    const results = run.map((test) => ({
      file,
      titles: [...test.ancestorTitles, test.title],
      failures: test.status === 'failed' ? (test.failureMessages ?? ['failed']) : [],
    }));
    // A file that cannot be loaded, or whose hooks fail, is a failure of its own.
    const isExplained = status === 'passed' || results.some(({ failures }) => failures.length > 0);
    return isExplained ? results : [...results, { file, titles: [], failures: [message] }];
  });
}

/** How many tests passed and failed. */
export type Count = { readonly passed: number; readonly failed: number };

/** The tests of one topic in one proxy mode; those that need no proxy count in both. */
export function countOf(results: readonly TestResult[], topic: Topic, mode: ProxyMode): Count {
  const counted = results.filter((result) => {
    const its = modeOf(result);
    return topicOf(result) === topic && (its === undefined || its === mode);
  });
  const failed = counted.filter(({ failures }) => failures.length > 0).length;
  return { passed: counted.length - failed, failed };
}

/** Whether each topic was tested in both modes, and no test failed. */
export function hasPassed({ results }: GuestReport): boolean {
  const counts = modes.flatMap((mode) => topics.map((topic) => countOf(results, topic, mode)));
  return counts.every(({ passed, failed }) => passed > 0 && failed === 0);
}

/** The proxy mode that a test is about, by its file or else by its titles. */
function modeOf({ file, titles }: TestResult): ProxyMode | undefined {
  const name = [file, ...titles].find(
    (one) => one.includes('iptables') || one.includes('nftables'),
  );
  if (name === undefined) return undefined;
  return name.includes('iptables') ? 'iptables' : 'nftables';
}
