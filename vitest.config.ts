import { defineConfig } from 'vitest/config';
import { STRIP_TYPES_SAFELY } from './test/strip-types.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/interop/**', 'node_modules/**'],
    // A busy machine is slow, not wrong: every wait for something that has to come is long, and only what never comes runs into it.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000, interval: 10 } },
    pool: 'forks',
    execArgv: STRIP_TYPES_SAFELY,
    maxWorkers: 2,
  },
});
