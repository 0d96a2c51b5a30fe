import type { Cluster, Miner } from '../../../src/detect/miner/miner.ts';

const encoder = new TextEncoder();

/** Feeds one line of text. */
export function observe(miner: Miner, line: string): Cluster {
  const bytes = encoder.encode(line);
  return miner.observe(bytes, 0, bytes.length);
}

export function observeGiven(miner: Miner, template: string): Cluster {
  const bytes = encoder.encode(template);
  return miner.observeGiven(bytes, 0, bytes.length);
}

/** Deterministic uniform numbers in [0, 1). */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 0) / 4294967296;
  };
}

/** Lines of a small service: some formats, variable users, hosts, durations, now and then something rare. */
export function serviceLines(count: number, seed: number): string[] {
  const random = randomNumbers(seed);
  const int = (below: number): number => Math.floor(random() * below);
  const pick = <T>(values: readonly T[]): T => values[int(values.length)]!;
  const formats = [
    () =>
      `2026-11-22 08:40:${10 + int(50)}.${int(999)} Connection from 10.0.${int(9)}.${int(255)}:${int(65536)} accepted`,
    () =>
      `Failed password for ${pick(['root', 'admin', 'git', 'ftp', 'alice'])} from 10.0.0.${int(255)} port ${int(65536)} ssh2`,
    () =>
      `{"level":${pick([30, 30, 50])},"time":${1795337061732 + int(1e6)},"user":"u${int(99)}","msg":"${pick(['cart updated', 'login failed', 'cache hit for product'])}"}`,
    () =>
      `worker ${pick(['started', 'stopped'])} queue ${pick(['mail', 'orders', 'billing', 'search', 'audit'])} shard ${int(9)}`,
    () =>
      `10.0.0.${int(255)} - - [22/Nov/2026:08:38:14 +0000] "GET /product/${int(50)} HTTP/1.1" ${pick([200, 404, 503])} ${int(9999)} "-" "curl/7.88.1"`,
    () => `user=${pick(['alice', 'bob', ''])} action=upload bytes=${int(1e6)} took=${int(90)}ms`,
    () => `unexpected ${Array.from({ length: 4 }, () => String.fromCharCode(97 + int(26)).repeat(3)).join(' ')}`,
  ];
  return Array.from({ length: count }, () => pick(formats)());
}

/**
 * A source with more of everything than is looked at: some 300 templates, three in five of which come and go, with two numbers and up to two varying words each (few
 * values, or many), ids that are sometimes all digits, and more shapes than are remembered.
 */
export function crowdedLines(count: number, seed: number): string[] {
  const random = randomNumbers(seed);
  const int = (below: number): number => Math.floor(random() * below);
  const letters = (k: number): string => String.fromCharCode(97 + (k % 26), 97 + (Math.floor(k / 26) % 26), 113);
  const id = (): string => (int(3) === 0 ? String(1000 + int(9000)) : (4096 + int(61_440)).toString(16));
  return Array.from({ length: count }, (_, i) => {
    // Later templates follow earlier ones, some stay.
    const event = letters(int(5) < 2 ? int(60) : 60 + Math.floor((i / count) * 240) + int(30));
    const [few, many] = [letters(int(2 + (event.charCodeAt(0) % 4))), letters(int(500))];
    return int(2) === 0
      ? `${event} handled request ${id()} of role ${few} within ${int(900)} ms and ${int(30)} rows`
      : `${event} moved the session ${id()} by hand from ${many} over to ${few} after ${int(9)}.${int(9)} s at last, size ${int(1e6)}`;
  });
}
