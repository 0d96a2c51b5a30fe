import tseslint from 'typescript-eslint';

/** `detect/` is the pure core: same input, same bytes out. It may not reach for I/O, clocks, threads or the rest of src. */
const pureDetect = {
  files: ['src/detect/**/*.ts'],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          {
            regex: '^(\\.\\./)+(admin|alert|clock|config|embed|pipeline|receive|replay|shard|source|store|telemetry)/',
            message: 'detect/ imports nothing from the rest of src',
          },
          { regex: '^node:(?!crypto$)', message: 'detect/ does no I/O' },
        ],
      },
    ],
    'no-restricted-globals': ['error', 'setTimeout', 'setInterval', 'setImmediate', 'performance', 'process', 'fetch'],
    'no-restricted-properties': [
      'error',
      { object: 'Date', property: 'now', message: 'time is a parameter' },
      { object: 'Math', property: 'random', message: 'same input, same bytes out' },
    ],
  },
};

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', 'coverage/'] },
  ...tseslint.configs.recommended,
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      eqeqeq: 'error',
    },
  },
  pureDetect,
);
