// Ends the output of a test run with the true counts on a line of their own.
import type { Reporter, TestModule } from 'vitest/node';

export class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const counts = { passed: 0, failed: 0, skipped: 0, pending: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) counts[test.result().state] += 1;
      // A file that could not be loaded ran none of its tests: that is a failure, not nothing.
      if (module.errors().length > 0) counts.failed += 1;
    }
    const skipped = counts.skipped + counts.pending;
    const tail = skipped === 0 ? '' : `, ${skipped} skipped`;
    process.on('exit', () => {
      process.stdout.write(`${counts.passed} passed, ${counts.failed} failed${tail}\n`);
    });
  }
}

// oxlint-disable-next-line import/no-default-export -- vitest loads a reporter by its default export.
export default CountReporter;
