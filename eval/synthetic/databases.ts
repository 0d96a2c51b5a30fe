/** A database and a cache: as steady as a clock, but for what people do to them. */
import { rounded } from './distributions.ts';
import { DAY_MS, ERROR, job, MINUTE_MS, traffic, WARN } from './emitters.ts';
import type { SourceModel } from './services.ts';

/** Stationary load, checkpoints every five minutes, restarted twice in the week. */
export function db(startMs: number): SourceModel {
  return {
    name: 'db',
    perMinute: () => 7,
    emitters: [
      traffic({
        perMinute: () => 7,
        errorShare: 0.004,
        kinds: [
          {
            weight: 20,
            shifted: 8,
            text: (dice) =>
              `connection received: host=10.0.1.${dice.integer(2, 9)} port=${dice.integer(30_000, 60_000)}`,
          },
          { weight: 20, shifted: 8, text: () => 'connection authorized: user=shop database=shop' },
          {
            weight: 20,
            shifted: 40,
            text: (dice, slow) => `disconnection: session time: 0:00:${rounded(dice, 4, slow)} user=shop database=shop`,
          },
          {
            weight: 12,
            shifted: 20,
            text: (dice, slow) => `duration: ${rounded(dice, 130, slow)} ms  execute fetch_orders`,
          },
          {
            weight: 1,
            shifted: 15,
            severity: WARN,
            text: (dice) => `there is already a transaction in progress, pid ${dice.integer(900, 999)}`,
          },
        ],
        errors: [
          {
            weight: 2,
            severity: ERROR,
            text: (dice) => `canceling statement due to statement timeout, pid ${dice.integer(900, 999)}`,
          },
          {
            weight: 1,
            severity: ERROR,
            text: (dice) => `deadlock detected, process ${dice.integer(900, 999)} waits for ShareLock`,
          },
        ],
      }),
      job({
        periodMs: 5 * MINUTE_MS,
        offsetMs: 40_000,
        jitterMs: 1500,
        run: (dice, slow) => [
          { afterMs: 0, text: 'checkpoint starting: time' },
          {
            afterMs: dice.between(20_000, 50_000),
            text: `checkpoint complete: wrote ${dice.integer(20, 900)} buffers; write=${rounded(dice, 26, slow)} s, sync=${rounded(dice, 0.02, slow)} s`,
          },
        ],
      }),
      job({
        periodMs: 17 * MINUTE_MS,
        jitterMs: 90_000,
        run: (dice) => [
          {
            afterMs: 0,
            text: `automatic vacuum of table "shop.public.orders": pages: ${dice.integer(0, 9)} removed, ${dice.integer(100, 9000)} remain`,
          },
        ],
      }),
    ],
    novel: [
      'could not extend file "base/16384/16402": No space left on device',
      'invalid page in block 4112 of relation base/16384/16431',
      'out of shared memory, you might need to increase max_locks_per_transaction',
      'could not receive data from WAL stream: server closed the connection unexpectedly',
      'remaining connection slots are reserved for superusers',
      'archive command failed with exit code 1',
      'database is not accepting commands to avoid wraparound data loss',
    ],
    starts: [1.9, 4.35].map((day) => ({
      timeMs: startMs + day * DAY_MS,
      pauseMs: 8_000,
      lines: [
        'received fast shutdown request',
        'database system is shut down',
        'starting PostgreSQL 15.6',
        'database system is ready to accept connections',
      ],
    })),
  };
}

/** As steady as a clock. */
export function cache(): SourceModel {
  return {
    name: 'cache',
    perMinute: () => 8,
    emitters: [
      job({
        periodMs: 15_000,
        jitterMs: 300,
        run: (dice) => [{ afterMs: 0, text: `clients connected: ${dice.integer(38, 44)}, blocked: 0` }],
      }),
      traffic({
        perMinute: () => 4,
        errorShare: 0.001,
        kinds: [
          {
            weight: 5,
            shifted: 1,
            text: (dice, slow) =>
              `DB 0: ${dice.integer(5000, 6000)} keys (${dice.integer(900, 1100)} volatile) scanned in ${rounded(dice, 3, slow, 1)} ms`,
          },
          { weight: 3, shifted: 1, text: (dice) => `evicted ${dice.integer(1, 30)} keys` },
          {
            weight: 1,
            shifted: 10,
            text: (dice, slow) => `slow command HGETALL took ${rounded(dice, 14, slow, 1)} ms`,
          },
        ],
        errors: [{ weight: 1, severity: ERROR, text: () => "can't save in background: fork: Cannot allocate memory" }],
      }),
      job({
        periodMs: 10 * MINUTE_MS,
        jitterMs: 2000,
        run: (dice) => [
          { afterMs: 0, text: '100 changes in 600 seconds. Saving...' },
          { afterMs: dice.between(300, 900), text: 'DB saved on disk' },
          { afterMs: 1000, text: 'Background saving terminated with success' },
        ],
      }),
    ],
    novel: [
      'MISCONF errors writing to the AOF file: Input/output error',
      'connection with replica 10.0.2.8:6379 lost',
      'protocol error from client: too big bulk count string',
      'asynchronous AOF fsync is taking too long (disk is busy?)',
      'short read or OOM loading DB, unrecoverable error',
      'possible SECURITY ATTACK detected: POST or Host: commands',
      'failover auth denied to 7d01: already voted',
    ],
    starts: [],
  };
}
