import { defineConfig } from 'vitest/config';

/** Benchmarks print ratios within one run; they are never part of `npm test`. */
export default defineConfig({
  test: {
    include: ['bench/**/*.bench.ts'],
    testTimeout: 600_000,
    pool: 'forks',
    fileParallelism: false,
  },
});
