/** Lines to mine: ordinary formats, and streams made to hurt. */

/** Deterministic uniform numbers in [0, 1). */
let state = 7;
function random(): number {
  state = (Math.imul(state, 1664525) + 1013904223) | 0;
  return (state >>> 0) / 4294967296;
}
const int = (below: number): number => Math.floor(random() * below);
const pick = <T>(values: readonly T[]): T => values[int(values.length)]!;
const hex = (digits: number): string => Array.from({ length: digits }, () => int(16).toString(16)).join('');
const ip = (): string => `10.${int(256)}.${int(256)}.${int(256)}`;
const word = (): string => Array.from({ length: 3 + int(8) }, () => String.fromCharCode(97 + int(26))).join('');
const time = (): string => `2026-11-22 08:${10 + int(50)}:${10 + int(50)}.${100 + int(900)}`;

export const FORMATS: Record<string, () => string> = {
  text: () =>
    pick([
      () => `${time()} INFO [worker-${int(16)}] Processed batch ${int(9999)} with ${int(500)} entries in ${int(90)} ms`,
      () =>
        `${time()} WARN [pool-${int(4)}] Connection to ${ip()}:${int(65536)} timed out after ${int(30)} seconds, will retry`,
      () => `${time()} ERROR Failed to read block blk_${int(1e9)} of file /var/lib/store/${int(99)}/part-${int(9999)}`,
      () => `Failed password for ${pick(['root', 'admin', 'git'])} from ${ip()} port ${int(65536)} ssh2`,
      () => `Accepted publickey for deploy from ${ip()} port ${int(65536)} ssh2: RSA SHA256:${hex(32)}`,
    ])(),
  access: () =>
    `${ip()} - - [22/Nov/2026:08:38:14 +0000] "${pick(['GET', 'POST'])} /${pick(['cart', 'login', 'search'])}/${int(999)} HTTP/1.1" ` +
    `${pick([200, 200, 200, 404, 500])} ${int(9999)} "-" "Mozilla/5.0 (X11; Linux x86_64) Firefox/118.0"`,
  json: () =>
    `{"level":${pick([30, 30, 30, 50])},"time":${1795337061732 + int(1e6)},"service":"api-1","trace_id":"${hex(32)}",` +
    `"ms":${int(400)},"msg":"${pick(['request completed', 'cache hit for product', 'redis connection error'])}"}`,
  'key=value': () =>
    `time=${time().replace(' ', 'T')}Z level=info caller=main.go:${int(500)} user=u${int(500)} bytes=${int(1e6)} took=${int(90)}ms msg="upload ${pick(['started', 'finished'])}"`,
};
export const HOSTILE: Record<string, () => string> = {
  'random words': () => Array.from({ length: 10 }, word).join(' '),
  'random lengths': () => Array.from({ length: 1 + int(60) }, word).join(pick([' ', '=', ',', '"'])),
  digits: () => Array.from({ length: 12 }, () => int(1e9)).join(''),
  'no spaces': () => Array.from({ length: 15 }, word).join('/'),
  controls: () => `\x1b[31m${word()}\x1b[0m\0\0${word()} ${'日本語のログ'.repeat(1 + int(4))} 🚀${word()}`,
};
