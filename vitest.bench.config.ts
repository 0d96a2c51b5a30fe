import { defineConfig } from 'vitest/config';
import { STRIP_TYPES_SAFELY } from './test/strip-types.ts';

/** Benchmarks print ratios within one run; they are never part of `npm test`. */
export default defineConfig({
  test: {
    include: ['bench/**/*.bench.ts'],
    testTimeout: 600_000,
    pool: 'forks',
    execArgv: STRIP_TYPES_SAFELY,
    fileParallelism: false,
  },
});
