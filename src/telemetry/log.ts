/** The service's own log: one line a thing, on stderr, so that stdout stays free for anomalies. */

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LEVELS)[number];
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /**
   * For what may happen per request: the first of a `key` is printed at once, then at most one in `intervalMs` (default
   * 60,000), which carries `suppressed=N`, the number of lines left out since the last one.
   */
  warnLimited(key: string, message: string, fields?: LogFields, intervalMs?: number): void;
  /** Once in the life of the process for each `key`. */
  warnOnce(key: string, message: string, fields?: LogFields): void;
}

export interface LogOptions {
  /** Lines below this level are not written. Default `info`. */
  level?: LogLevel;
  /** Takes whole lines, with their newline. Default: stderr. */
  write?: (line: string) => void;
  /** Unix milliseconds. */
  now?: () => number;
}

/** Keys can hold text from outside (source names); past this many the oldest is forgotten and may be printed again. */
const MAX_LIMITED_KEYS = 1_000;
const DEFAULT_INTERVAL_MS = 60_000;

/** `2026-11-22T13:00:00.000Z info  message key=value`: level padded to five characters, values quoted where they need it. */
export function createLog(options: LogOptions = {}): Log {
  const { level = 'info', write = writeStderr, now = Date.now } = options;
  const lowest = LEVELS.indexOf(level);
  const limited = new Map<string, { printedMs: number; suppressed: number }>();

  function print(lineLevel: LogLevel, message: string, fields?: LogFields): void {
    if (LEVELS.indexOf(lineLevel) < lowest) return;
    write(formatLine(now(), lineLevel, message, fields));
  }

  function warnLimited(key: string, message: string, fields?: LogFields, intervalMs = DEFAULT_INTERVAL_MS): void {
    const nowMs = now();
    const before = limited.get(key);
    if (before && nowMs - before.printedMs < intervalMs) {
      before.suppressed++;
      return;
    }
    limited.delete(key);
    limited.set(key, { printedMs: nowMs, suppressed: 0 });
    if (limited.size > MAX_LIMITED_KEYS) limited.delete(limited.keys().next().value!);
    const suppressed = before?.suppressed ? { suppressed: before.suppressed } : undefined;
    print('warn', message, { ...fields, ...suppressed });
  }

  return {
    debug: (message, fields) => print('debug', message, fields),
    info: (message, fields) => print('info', message, fields),
    warn: (message, fields) => print('warn', message, fields),
    error: (message, fields) => print('error', message, fields),
    warnLimited,
    warnOnce: (key, message, fields) => warnLimited(`once ${key}`, message, fields, Infinity),
  };
}

function formatLine(nowMs: number, level: LogLevel, message: string, fields: LogFields = {}): string {
  let line = `${new Date(nowMs).toISOString()} ${level.padEnd(5)} ${printable(message)}`;
  for (const [key, value] of Object.entries(fields)) {
    if (value !== undefined) line += ` ${key}=${formatValue(value)}`;
  }
  return line + '\n';
}

function formatValue(value: string | number | boolean | null): string {
  const text = printable(String(value));
  return text === '' || /[\s"=]/.test(text) ? JSON.stringify(text) : text;
}

/** Text from logs can hold newlines, terminal escapes and marks that turn the direction of writing: none may forge a line or drive the reader's terminal. */
export function printable(text: string): string {
  return text.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, (character) => {
    if (character === '\n') return '\\n';
    if (character === '\t') return ' ';
    const code = character.charCodeAt(0);
    return code > 0xff ? `\\u${code.toString(16).padStart(4, '0')}` : `\\x${code.toString(16).padStart(2, '0')}`;
  });
}

let stderrGuarded = false;

/** A closed stderr (a log pipe that died) must not end the service. */
function writeStderr(line: string): void {
  if (!stderrGuarded) {
    stderrGuarded = true;
    process.stderr.on('error', () => {});
  }
  process.stderr.write(line);
}
