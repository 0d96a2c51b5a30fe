/** Lines to mine: ordinary formats, and streams made to hurt. */
import { EXACT_PRIME } from '../src/detect/miner/tokens/hash.ts';

/** Deterministic uniform numbers in [0, 1). */
let state = 7;
function random(): number {
  state = (Math.imul(state, 1664525) + 1013904223) | 0;
  return (state >>> 0) / 4294967296;
}
const int = (below: number): number => Math.floor(random() * below);
const pick = <T>(values: readonly T[]): T => values[int(values.length)]!;
const hex = (digits: number): string => Array.from({ length: digits }, () => int(16).toString(16)).join('');
const uuid = (): string => [8, 4, 4, 4, 12].map(hex).join('-');
const mac = (): string => ['fa', '16', '3e', hex(2), hex(2), hex(2)].join(':');
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
  ids: () =>
    pick([
      () =>
        `${time()} ${int(3e4)} INFO api.wsgi [req-${uuid()} ${hex(32)} ${hex(32)} - default default] ${ip()} "GET /v2/${hex(32)}/volumes/${uuid()} HTTP/1.1" status: ${pick([200, 200, 202, 404])} len: ${int(9999)} time: ${random().toFixed(7)}`,
      () =>
        `${time()} DEBUG TraceID: ${hex(32)} SpanID: ${hex(16)} [queryRoutes][Route IDs: [${uuid()}, ${uuid()}, ${uuid()}]]`,
      () =>
        `${time()} Port ${uuid()} of ${mac()} on tap${hex(8)}-${hex(2)} is bound, address fe80::${hex(4)}:${hex(4)}:${hex(4)}`,
    ])(),
};
export const HOSTILE: Record<string, () => string> = {
  'random words': () => Array.from({ length: 10 }, word).join(' '),
  'random lengths': () => Array.from({ length: 1 + int(60) }, word).join(pick([' ', '=', ',', '"'])),
  digits: () => Array.from({ length: 12 }, () => int(1e9)).join(''),
  'no spaces': () => Array.from({ length: 15 }, word).join('/'),
  'one long word': () => Array.from({ length: 12 }, word).join(''),
  'one leaf': () => `request ${Array.from({ length: 9 }, word).join(' ')}`,
  'field names': () => Array.from({ length: 8 }, () => `${word()}=${int(99)}`).join(' '),
  'random states': () => Array.from({ length: 12 }, () => pick(['up', 'down'])).join(' '),
  'open quotes': () => `msg="${word()} \\n${word()}\\" {["${word()}`,
  'hash collisions': () => `${collision()} ${collision()} ${collision()}`,
  CJK: () => wide(30, 0x4e00, 0x5000),
  emoji: () => Array.from({ length: 6 }, () => wide(3, 0x1f300, 0x200)).join(' '),
  'ANSI colours': () => Array.from({ length: 5 }, () => `\x1b[1;${30 + int(8)}m${word()}\x1b[0m`).join(' '),
  NULs: () => Array.from({ length: 5 }, word).join(pick(['\0', '\0\0\0 ', ' \0'])),
  'random bytes': () => Array.from({ length: 90 }, () => String.fromCharCode(int(256))).join(''),
  'deep brackets': () => `tags=${'[{('.repeat(1 + int(60))}${word()}${')}]'.repeat(int(60))}`,
  'deep JSON': () => `{"${word()}":`.repeat(1 + int(40)) + `"${word()}"` + '}'.repeat(40),
  'quotes and escapes': () =>
    Array.from({ length: 10 }, () => `\\"${word()}\\\\"${word()}"`).join(pick([' ', ',', '='])),
  'hundreds of fields': () => `${word()}=1 ${Array.from({ length: 300 }, (_, k) => `k${k}=${int(99)}`).join(' ')}`,
  'all tokens there may be': () => `request ${Array.from({ length: 127 }, word).join(' ')}`,
  'groups of hex': () => Array.from({ length: 12 }, () => hex(2 + int(6))).join(pick(['-', ':', '::', '-:'])),
  'half a date': () =>
    Array.from({ length: 8 }, () => pick(['Sun Dec', 'Mon 1f-', 'may 7:', 'AM 12', 'Jan-'])).join(' '),
  '1 MiB': () => `${word()} ${LONG[int(LONG.length)]!}`,
};

/** Random characters of a block of Unicode. */
function wide(length: number, first: number, span: number): string {
  return Array.from({ length }, () => String.fromCodePoint(first + int(span))).join('');
}

/** Words, digits and paths for lines of a mebibyte. */
const LONG = [' ', '', '/', '=1,'].map((joiner) => {
  const kilobyte = Array.from({ length: 120 }, word).join(joiner);
  return kilobyte.repeat(Math.ceil(2 ** 20 / kilobyte.length)).slice(0, 2 ** 20);
});

/**
 * A word of 36 letters, one of 64 with the same exact lane under seed 0: six blocks, each one of two that lead from the lane before to
 * the same lane behind (Joux, "Multicollisions in iterated hash functions", 2004). The miner measured has seed 0: what a process's own seed prevents.
 */
function collision(): string {
  return BLOCKS.map((choices) => pick(choices)).join('');
}
const BLOCKS = collidingBlocks(6);

function collidingBlocks(count: number): string[][] {
  let lane = EXACT_PRIME;
  return Array.from({ length: count }, () => {
    const byLane = new Map<number, string>();
    for (;;) {
      const block = Array.from({ length: 6 }, () => String.fromCharCode(97 + int(26))).join('');
      let after = lane;
      for (let i = 0; i < block.length; i++) after = Math.imul(after ^ block.charCodeAt(i), EXACT_PRIME);
      const other = byLane.get(after);
      if (other !== undefined && other !== block) {
        lane = after;
        return [other, block];
      }
      byLane.set(after, block);
    }
  });
}
