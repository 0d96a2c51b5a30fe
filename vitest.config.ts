import { defineConfig } from 'vitest/config';
import { STRIP_TYPES_SAFELY } from './test/strip-types.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/interop/**', 'node_modules/**'],
    testTimeout: 20_000,
    hookTimeout: 20_000,
    pool: 'forks',
    execArgv: STRIP_TYPES_SAFELY,
    maxWorkers: 2,
  },
});
