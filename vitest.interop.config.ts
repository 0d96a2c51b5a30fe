import { defineConfig } from 'vitest/config';
import { STRIP_TYPES_SAFELY } from './test/strip-types.ts';

/** Real peers (Collector, Python, Go and Java clients, Prometheus); they need the network's package registries, so `npm test` leaves them out. */
export default defineConfig({
  test: {
    include: ['test/interop/**/*.test.ts'],
    // Test by test, with the reason of those that are skipped.
    reporters: ['verbose'],
    testTimeout: 300_000,
    hookTimeout: 600_000,
    expect: { poll: { timeout: 60_000 } },
    pool: 'forks',
    execArgv: STRIP_TYPES_SAFELY,
    fileParallelism: false,
  },
});
