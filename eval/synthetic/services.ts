/** The services that people use: load follows the hour and the day, versions come out during the week. */
import type { Dice } from './distributions.ts';
import { DAY_MS, ERROR, rare, traffic, WARN, type Emitter, type Kind } from './emitters.ts';
import { humanLoad } from './load.ts';

/** What a source is made of. */
export interface SourceModel {
  /** `service.name`; the source is `otlp:<name>`. */
  name: string;
  emitters: readonly Emitter[];
  /** Expected lines a minute, to place faults where there is something to disturb. */
  perMinute(timeMs: number): number;
  /** Lines of a fault that was never seen before, one text for each time. */
  novel: readonly string[];
  /** Starts of a new version or after a crash: silence, then these lines. */
  starts: readonly Start[];
}

export interface Start {
  timeMs: number;
  pauseMs: number;
  lines: readonly string[];
}

const address = (dice: Dice): string => `10.0.${dice.integer(0, 3)}.${dice.integer(2, 250)}`;
const hex = (dice: Dice, digits: number): string =>
  Array.from({ length: digits }, () => dice.integer(0, 15).toString(16)).join('');

/** Heavy-tailed: a log-normal, and one in a hundred ten times as long. */
const milliseconds = (dice: Dice, median: number, slow: number): number =>
  Math.max(1, Math.round(dice.logNormal(median * slow, 0.6) * (dice.uniform() < 0.01 ? 10 : 1)));

function access(method: string, path: (dice: Dice) => string, status: number, median: number) {
  return (dice: Dice, slow: number): string =>
    `${address(dice)} "${method} ${path(dice)} HTTP/1.1" ${status} ${dice.integer(200, 48_000)} ${milliseconds(dice, median, slow)}ms`;
}

/** Access log of a web server: cached pages in front, a shop behind. */
export function web(startMs: number): SourceModel {
  const perMinute = (timeMs: number): number => 14 * humanLoad(timeMs);
  const id = (dice: Dice): string => String(dice.integer(1, 4000));
  return {
    name: 'web',
    perMinute,
    emitters: [
      traffic({
        perMinute,
        errorShare: 0.004,
        kinds: [
          { weight: 30, shifted: 6, text: access('GET', () => '/', 200, 12) },
          { weight: 34, shifted: 8, text: access('GET', (dice) => `/product/${id(dice)}`, 200, 25) },
          { weight: 12, shifted: 50, text: access('GET', (dice) => `/search?q=${hex(dice, 5)}`, 200, 80) },
          { weight: 8, text: access('POST', () => '/cart', 200, 30) },
          { weight: 3, text: access('POST', () => '/checkout', 200, 140) },
          { weight: 10, text: access('GET', (dice) => `/static/${hex(dice, 8)}.js`, 304, 2) },
          { weight: 2, shifted: 30, severity: WARN, text: access('GET', (dice) => `/${hex(dice, 6)}.php`, 404, 3) },
        ],
        errors: [
          { weight: 2, text: access('GET', (dice) => `/product/${id(dice)}`, 502, 1000) },
          { weight: 1, text: access('POST', () => '/checkout', 504, 30_000) },
        ],
      }),
      rare(12, [
        {
          weight: 1,
          severity: WARN,
          text: (dice) => `client ${address(dice)} closed connection while sending request body`,
        },
      ]),
    ],
    novel: [
      'upstream SSL handshake failed: certificate has expired while connecting to api:8443',
      'open() "/var/cache/web/tmp/0000012" failed (28: No space left on device)',
      'worker process 4411 exited on signal 11',
      'could not build optimal variables_hash, you should increase variables_hash_max_size',
      'limiting requests, excess: 20.4 by zone "checkout"',
      'rewrite or internal redirection cycle while processing "/product/"',
      'recv() failed (104: Connection reset by peer) while reading response header',
    ],
    starts: [
      {
        timeMs: startMs + 2.6 * DAY_MS,
        pauseMs: 0,
        lines: ['signal process started', 'reconfiguring', 'gracefully shutting down worker'],
      },
    ],
  };
}

/** JSON lines of an application that grows by half in the week and gets three new versions. */
export function api(startMs: number): SourceModel {
  const perMinute = (timeMs: number): number =>
    14 * humanLoad(timeMs) * (1 + (0.5 * (timeMs - startMs)) / (7 * DAY_MS));
  const request =
    (method: string, route: string, median: number, status = 200) =>
    (dice: Dice, slow: number, timeMs: number) => {
      // Grows with its data: a fifth slower by the end of the week.
      const grown = 1 + (0.2 * (timeMs - startMs)) / (7 * DAY_MS);
      const duration = milliseconds(dice, median * grown, slow);
      return `{"level":"info","msg":"request completed","method":"${method}","route":"${route}","status":${status},"duration_ms":${duration},"request_id":"${hex(dice, 16)}"}`;
    };
  const event =
    (level: string, msg: string, rest: (dice: Dice) => string = () => '') =>
    (dice: Dice) =>
      `{"level":"${level}","msg":"${msg}"${rest(dice)},"request_id":"${hex(dice, 16)}"}`;
  const versions = [1.45, 3.4, 5.55].map((day) => startMs + day * DAY_MS);
  const kinds: Kind[] = [
    { weight: 40, shifted: 10, text: request('GET', '/v1/products/{id}', 9) },
    { weight: 20, shifted: 6, text: request('GET', '/v1/stock', 6) },
    { weight: 14, text: request('POST', '/v1/cart', 18) },
    { weight: 5, shifted: 40, text: request('POST', '/v1/orders', 60) },
    {
      weight: 12,
      untilMs: versions[1]!,
      text: event('info', 'cache hit', (dice) => `,"key":"p:${dice.integer(1, 4000)}"`),
    },
    // The second version words it otherwise, the third says something new.
    {
      weight: 12,
      sinceMs: versions[1]!,
      text: event('info', 'served from cache', (dice) => `,"key":"p:${dice.integer(1, 4000)}","tier":"local"`),
    },
    {
      weight: 6,
      sinceMs: versions[2]!,
      text: event('info', 'recommendation computed', (dice) => `,"candidates":${dice.integer(5, 60)}`),
    },
    {
      weight: 1,
      shifted: 12,
      severity: WARN,
      text: event('warn', 'retrying call to stock service', (dice) => `,"attempt":${dice.integer(1, 3)}`),
    },
  ];
  return {
    name: 'api',
    perMinute,
    emitters: [
      traffic({
        perMinute,
        errorShare: 0.005,
        kinds,
        errors: [
          {
            weight: 3,
            text: event(
              'error',
              'upstream timed out',
              (dice) => `,"upstream":"db","after_ms":${dice.integer(3000, 3050)}`,
            ),
          },
          {
            weight: 2,
            text: event(
              'error',
              'order rejected',
              (dice) => `,"order":${dice.integer(10_000, 99_999)},"reason":"payment declined"`,
            ),
          },
        ],
      }),
    ],
    novel: [
      '{"level":"error","msg":"TypeError: Cannot read properties of undefined (reading \'price\')","stack":"at total (cart.js:41:17)"}',
      '{"level":"error","msg":"too many open files","syscall":"accept","errno":-24}',
      '{"level":"error","msg":"invalid signature in session token","issuer":"auth"}',
      '{"level":"error","msg":"currency table is empty, refusing to price","region":"eu"}',
      '{"level":"error","msg":"JavaScript heap usage above soft limit","heap_mb":1490}',
      '{"level":"error","msg":"duplicate key value violates unique constraint","constraint":"orders_pkey"}',
      '{"level":"error","msg":"circuit breaker opened","target":"recommendations"}',
    ],
    starts: versions.map((timeMs, i) => ({
      timeMs,
      pauseMs: 12_000,
      lines: [
        '{"level":"info","msg":"received SIGTERM, draining connections"}',
        `{"level":"info","msg":"starting api","version":"2.${14 + i}.0","commit":"${['4f1c09e', 'a07be31', '91d2c4f'][i]}"}`,
        '{"level":"info","msg":"connected to database","pool":20}',
        '{"level":"info","msg":"listening","port":8080}',
      ],
    })),
  };
}

/** Sign-ins: rare at night, with people who forget their password. */
export function auth(): SourceModel {
  const perMinute = (timeMs: number): number => 6 * humanLoad(timeMs);
  const user = (dice: Dice): string => `user=${dice.integer(100, 9999)}`;
  return {
    name: 'auth',
    perMinute,
    emitters: [
      traffic({
        perMinute,
        errorShare: 0.003,
        kinds: [
          {
            weight: 30,
            shifted: 8,
            text: (dice, slow) =>
              `login succeeded ${user(dice)} method=password took=${milliseconds(dice, 90, slow)}ms`,
          },
          {
            weight: 50,
            shifted: 14,
            text: (dice, slow) => `token refreshed ${user(dice)} took=${milliseconds(dice, 5, slow)}ms`,
          },
          {
            weight: 8,
            shifted: 60,
            severity: WARN,
            text: (dice) => `login failed ${user(dice)} reason=bad_password ip=${address(dice)}`,
          },
          { weight: 6, text: (dice) => `logout ${user(dice)}` },
          { weight: 2, text: (dice) => `password changed ${user(dice)}` },
        ],
        errors: [
          {
            weight: 1,
            severity: ERROR,
            text: (dice) => `could not reach directory ldap://10.0.9.4 after ${dice.integer(2, 5)} attempts`,
          },
        ],
      }),
    ],
    novel: [
      'signing key rotation failed: key store is read-only',
      'clock skew of 94 s against directory, tokens rejected',
      'session store returned corrupt entry, dropping it',
      'rate limiter state lost, allowing all',
      'LDAP result: Insufficient access rights (50)',
      'assertion consumer url does not match metadata of idp',
      'bcrypt worker pool exhausted, 64 waiting',
    ],
    starts: [],
  };
}
