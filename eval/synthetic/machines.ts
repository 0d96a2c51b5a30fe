/** What runs by itself: queue worker, batch jobs, scheduler, the machine. */
import { rounded } from './distributions.ts';
import { DAY_MS, HOUR_MS, job, MINUTE_MS, rare, traffic, WARN } from './emitters.ts';
import type { SourceModel } from './services.ts';

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
              `level=info msg="order processed" order=${dice.integer(10_000, 99_999)} items=${dice.integer(1, 9)} took=${rounded(dice, 0.4, slow)}s`,
          },
          {
            weight: 4,
            text: (dice, slow) => `level=info msg="mail sent" template=receipt took=${rounded(dice, 0.9, slow)}s`,
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
            text: `level=info msg="stock synchronised" changed=${dice.poisson(12)} took=${rounded(dice, 1.2, slow)}s`,
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
            text: `[export] chunk ${k} rows=${dice.integer(800, 1000)} took ${rounded(dice, 2, slow)} s`,
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
            { afterMs: dice.logNormal(9000, 0.3), text: `${step}: finished in ${rounded(dice, 9, slow, 1)} s` },
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
