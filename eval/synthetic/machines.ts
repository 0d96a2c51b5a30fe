/** What runs by itself: database, cache, queue worker, batch jobs, scheduler, the machine. */
import type { Dice } from './distributions.ts';
import { DAY_MS, ERROR, HOUR_MS, job, MINUTE_MS, rare, traffic, WARN } from './emitters.ts';
import type { SourceModel } from './services.ts';

const round = (dice: Dice, median: number, slow: number, digits = 3): string =>
  dice.logNormal(median * slow, 0.5).toFixed(digits);

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
            text: (dice, slow) => `disconnection: session time: 0:00:${round(dice, 4, slow)} user=shop database=shop`,
          },
          {
            weight: 12,
            shifted: 20,
            text: (dice, slow) => `duration: ${round(dice, 130, slow)} ms  execute fetch_orders`,
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
            text: `checkpoint complete: wrote ${dice.integer(20, 900)} buffers; write=${round(dice, 26, slow)} s, sync=${round(dice, 0.02, slow)} s`,
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
              `DB 0: ${dice.integer(5000, 6000)} keys (${dice.integer(900, 1100)} volatile) scanned in ${round(dice, 3, slow, 1)} ms`,
          },
          { weight: 3, shifted: 1, text: (dice) => `evicted ${dice.integer(1, 30)} keys` },
          { weight: 1, shifted: 10, text: (dice, slow) => `slow command HGETALL took ${round(dice, 14, slow, 1)} ms` },
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

/** Takes orders from a queue, beats every half minute, synchronises every minute. */
export function worker(startMs: number): SourceModel {
  return {
    name: 'worker',
    perMinute: () => 8,
    emitters: [
      traffic({
        perMinute: () => 5,
        errorShare: 0.01,
        kinds: [
          {
            weight: 10,
            shifted: 3,
            text: (dice, slow) =>
              `level=info msg="order processed" order=${dice.integer(10_000, 99_999)} items=${dice.integer(1, 9)} took=${round(dice, 0.4, slow)}s`,
          },
          {
            weight: 4,
            text: (dice, slow) => `level=info msg="mail sent" template=receipt took=${round(dice, 0.9, slow)}s`,
          },
          {
            weight: 1,
            shifted: 12,
            severity: WARN,
            text: (dice) =>
              `level=warn msg="stock reservation requeued" order=${dice.integer(10_000, 99_999)} attempt=${dice.integer(2, 4)}`,
          },
        ],
        errors: [
          {
            weight: 1,
            text: (dice) =>
              `level=error msg="order failed" order=${dice.integer(10_000, 99_999)} err="connection refused"`,
          },
        ],
      }),
      job({
        periodMs: 30_000,
        jitterMs: 500,
        run: (dice) => [
          { afterMs: 0, text: `level=info msg="heartbeat" queue=${dice.poisson(6)} inflight=${dice.integer(0, 3)}` },
        ],
      }),
      job({
        periodMs: MINUTE_MS,
        offsetMs: 10_000,
        jitterMs: 3000,
        run: (dice, slow) => [
          {
            afterMs: 0,
            text: `level=info msg="stock synchronised" changed=${dice.poisson(12)} took=${round(dice, 1.2, slow)}s`,
          },
        ],
      }),
    ],
    novel: [
      'level=error msg="panic: runtime error: index out of range [3] with length 3"',
      'level=error msg="queue consumer cancelled by broker" tag=ctag1',
      'level=error msg="schema version mismatch" want=41 have=40',
      'level=error msg="mail gateway rejected sender domain" code=550',
      'level=error msg="lease lost, stopping batch" holder=worker-2',
      'level=error msg="checksum of price list does not match" file=prices.csv',
      'level=error msg="poison message moved to dead letters" queue=orders',
    ],
    starts: [2.2, 5.1].map((day) => ({
      timeMs: startMs + day * DAY_MS,
      pauseMs: 15_000,
      lines: [
        'level=info msg="stopping, waiting for orders in flight"',
        'level=info msg="worker started" concurrency=4',
        'level=info msg="connected to queue" host=mq',
      ],
    })),
  };
}

/** Mostly silent: an hourly export, a nightly run of twenty minutes, a small thing every quarter of an hour. */
export function batch(): SourceModel {
  return {
    name: 'batch',
    perMinute: () => 1,
    emitters: [
      job({
        periodMs: 15 * MINUTE_MS,
        jitterMs: 2000,
        run: (dice) => [{ afterMs: 0, text: `[cleanup] removed ${dice.poisson(14)} expired carts` }],
      }),
      job({
        periodMs: HOUR_MS,
        offsetMs: 5 * MINUTE_MS,
        jitterMs: 8000,
        run: (dice, slow) => [
          { afterMs: 0, text: '[export] begin' },
          ...Array.from({ length: 8 + dice.poisson(4) }, (_, k) => ({
            afterMs: 4000 * (k + dice.uniform()),
            text: `[export] chunk ${k} rows=${dice.integer(800, 1000)} took ${round(dice, 2, slow)} s`,
          })),
          { afterMs: 60_000, text: '[export] done' },
        ],
      }),
      job({
        periodMs: DAY_MS,
        offsetMs: 2.5 * HOUR_MS,
        jitterMs: 60_000,
        run: (dice) => [
          { afterMs: 0, text: '[nightly] reconciliation started' },
          ...Array.from({ length: 160 + dice.poisson(20) }, () => ({
            afterMs: dice.between(2000, 1_150_000),
            text: `[nightly] account ${dice.integer(1000, 9999)} reconciled, ${dice.poisson(3)} corrections`,
          })),
          { afterMs: 1_200_000, text: '[nightly] reconciliation finished' },
        ],
      }),
    ],
    novel: [],
    starts: [],
  };
}

/** Four steps in turn, a minute each, day and night. */
export function scheduler(): SourceModel {
  const steps = ['scan inbox', 'score candidates', 'compact segments', 'publish index'];
  return {
    name: 'scheduler',
    perMinute: () => 4,
    emitters: [
      ...steps.map((step, k) =>
        job({
          periodMs: steps.length * MINUTE_MS,
          offsetMs: k * MINUTE_MS,
          jitterMs: 1500,
          run: (dice, slow) => [
            { afterMs: 0, text: `${step}: begin` },
            { afterMs: 3000, text: `${step}: ${dice.integer(180, 260)} entries` },
            { afterMs: dice.logNormal(9000, 0.3), text: `${step}: finished in ${round(dice, 9, slow, 1)} s` },
          ],
        }),
      ),
      job({
        periodMs: 20_000,
        jitterMs: 400,
        run: (dice) => [{ afterMs: 0, text: `lock renewed, term ${dice.integer(70, 72)}` }],
      }),
    ],
    novel: [
      'segment 0041 is corrupt, rebuilding from source',
      'publish refused by peer: generation is older than 118',
      'lost leadership to scheduler-b',
      'inbox listing is truncated after 10000 entries',
      'scorer returned NaN for candidate 5512',
      'compaction skipped, disk usage above high watermark',
      'token of storage account expires in less than an hour',
    ],
    starts: [],
  };
}

/** The machine's own log: timers, sign-ins of people, now and then a complaint. */
export function node(): SourceModel {
  return {
    name: 'node',
    perMinute: () => 1,
    emitters: [
      job({
        periodMs: 5 * MINUTE_MS,
        jitterMs: 800,
        run: (dice) => [
          { afterMs: 0, text: `CRON[${dice.integer(1000, 32_000)}]: (root) CMD (/usr/lib/sysstat/sa1 1 1)` },
        ],
      }),
      job({
        periodMs: HOUR_MS,
        offsetMs: 17 * MINUTE_MS,
        jitterMs: 500,
        run: (dice) => [
          {
            afterMs: 0,
            text: `CRON[${dice.integer(1000, 32_000)}]: (root) CMD (cd / && run-parts --report /etc/cron.hourly)`,
          },
        ],
      }),
      job({
        periodMs: 30 * MINUTE_MS,
        jitterMs: 120_000,
        run: (dice) => [
          { afterMs: 0, text: `DHCPACK from 10.0.0.1 (xid=0x${dice.integer(1 << 20, 1 << 28).toString(16)})` },
        ],
      }),
      rare(30, [
        {
          weight: 4,
          text: (dice) =>
            `sshd[${dice.integer(1000, 32_000)}]: Accepted publickey for deploy from 10.0.7.${dice.integer(2, 250)} port ${dice.integer(30_000, 60_000)}`,
        },
        {
          weight: 2,
          severity: WARN,
          text: (dice) =>
            `sshd[${dice.integer(1000, 32_000)}]: Connection closed by 10.0.7.${dice.integer(2, 250)} [preauth]`,
        },
        {
          weight: 1,
          severity: WARN,
          text: (dice) =>
            `systemd-resolved[412]: Using degraded feature set UDP instead of UDP+EDNS0 for DNS server 10.0.0.${dice.integer(1, 3)}`,
        },
        { weight: 1, text: () => 'systemd[1]: Starting Daily apt download activities...' },
      ]),
    ],
    novel: [],
    starts: [],
  };
}
