import { readFileSync } from 'node:fs';

/** Of this package, as package.json (one folder up from `src` and from `dist`) says. */
export const VERSION = (
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
).version;
