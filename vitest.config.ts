import { defineConfig } from 'vitest/config';

// Two kinds of test: pure ones share one context, what touches a kernel gets a process of its own.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'pure',
          include: ['test/{unit,cluster,scenarios,structure,reference}/**/*.test.ts'],
          isolate: false,
          // Properties take their time on a busy machine.
          testTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'kernel',
          include: ['test/{kernel,kernels,conformance,lab,cli,docs}/**/*.test.ts'],
          globalSetup: ['test/support/tools.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          maxWorkers: 2,
          // After the pure tests, which say sooner what is wrong.
          sequence: { groupOrder: 1 },
        },
      },
    ],
    // Of the pure tests (npm run coverage). The lab and what asks this host need namespaces: test/kernel and
    // test/lab run them.
    coverage: {
      include: ['src/**/*.ts'],
      exclude: ['src/lab/**', 'src/host/**'],
      reporter: [['text', { skipFull: true }]],
      thresholds: { lines: 90 },
    },
    reporters: ['default', './test/support/count-reporter.ts'],
  },
});
