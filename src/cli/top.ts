/** `logdrift top`: the sources of a running service as a table, drawn anew about every second; once where stdout is no terminal. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ReadStream, WriteStream } from 'node:tty';
import { readToken } from '../admin/guard.ts';
import type { Config } from '../config/config.ts';
import { formatEndpoint, isEverything, parseEndpoint } from '../net/endpoint.ts';
import { printable } from '../telemetry/log.ts';
import { AdminUnreachableError, fetchSources, type AdminClientOptions, type ShownSource } from './admin-client.ts';
import { sourceTable } from './top-table.ts';

const REFRESH_MS = 1_000;
/** Being watched shall cost a service of thousands of sources a twentieth of a core at most. */
const PAUSE_PER_ANSWER = 20;

const ENTER = '\x1b[?1049h\x1b[?25l\x1b[?7l'; // another screen, no cursor, lines do not wrap
const LEAVE = '\x1b[?7h\x1b[?25h\x1b[?1049l';
const HOME = '\x1b[H';
const CLEAR_LINE = '\x1b[K';
const CLEAR_BELOW = '\x1b[J';
const CTRL_C = '\x03';
/** Those that end a process and can be listened to; a closed terminal sends SIGHUP. */
const ENDING_SIGNALS = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGUSR2', 'SIGALRM'] as const;

/** `process`, or a test's stand-in. */
export interface Terminal {
  stdin: NodeJS.ReadableStream & Partial<Pick<ReadStream, 'isTTY' | 'setRawMode'>>;
  stdout: NodeJS.WritableStream & Partial<Pick<WriteStream, 'isTTY' | 'columns' | 'rows'>>;
}

export interface TopOptions {
  /** Base URL of the admin port; null = `admin.endpoint` of the configuration. */
  admin: URL | null;
  config: Config;
  terminal?: Terminal;
}

/**
 * Until `q`, Ctrl-C or a signal: the terminal is as it was before, whoever ends it and however.
 * @returns the exit code
 * @throws AdminUnreachableError when the first question is not answered; later ones that are not are said above the table
 */
export async function top({ admin, config, terminal = process }: TopOptions): Promise<number> {
  const { endpoint, tokenFile } = config.admin;
  const client: AdminClientOptions = {
    url: admin ?? ownAdmin(endpoint),
    token: tokenFile === null ? null : readToken(tokenFile),
  };
  const { stdin, stdout } = terminal;
  const stop = new AbortController();
  const first = await fetchSources(client, stop.signal);
  if (stdout.isTTY !== true) {
    const lines = [title(client.url, first), ...sourceTable(first, Date.now(), { columns: Infinity, rows: Infinity })];
    stdout.write(`${lines.map((line) => line.trimEnd()).join('\n')}\n`);
    return 0;
  }

  let seen = { sources: first, atMs: Date.now(), problem: '' };
  const draw = (): void => {
    // A terminal that does not know its size, a serial line or that of a container, says 0.
    const columns = stdout.columns || 80;
    const rows = stdout.rows || 24;
    const { sources, atMs, problem } = seen;
    const head = `${title(client.url, sources)}, ${new Date(atMs).toTimeString().slice(0, 8)}${problem || '  (q quits)'}`;
    const lines = [head.slice(0, columns), '', ...sourceTable(sources, atMs, { columns, rows: rows - 2 })];
    stdout.write(HOME + lines.map((line) => line + CLEAR_LINE).join('\r\n') + CLEAR_BELOW);
  };
  const onKey = (keys: Buffer | string): void => {
    if (/[qQ]/.test(String(keys)) || String(keys).includes(CTRL_C)) stop.abort();
  };
  const end = (): void => stop.abort();

  stdin.setRawMode?.(true);
  stdin.on('data', onKey).resume();
  stdout.on('resize', draw);
  // The terminal may be gone before a signal says so.
  stdin.on('error', end);
  stdout.on('error', end);
  for (const signal of ENDING_SIGNALS) process.on(signal, end);
  stdout.write(ENTER);
  try {
    for (let pauseMs = REFRESH_MS; ;) {
      draw();
      await sleep(pauseMs, undefined, { signal: stop.signal });
      const askedMs = performance.now();
      seen = await fetchSources(client, stop.signal).then(
        (sources) => ({ sources, atMs: Date.now(), problem: '' }),
        (error: unknown) => {
          if (!(error instanceof AdminUnreachableError)) throw error;
          return { ...seen, problem: `: ${printable(error.message)}` };
        },
      );
      pauseMs = Math.max(REFRESH_MS, PAUSE_PER_ANSWER * (performance.now() - askedMs));
    }
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    return 0;
  } finally {
    stdout.write(LEAVE);
    stdin.setRawMode?.(false);
    stdin.off('data', onKey).pause();
    stdout.off('resize', draw);
    for (const signal of ENDING_SIGNALS) process.off(signal, end);
  }
}

function title(url: URL, sources: readonly ShownSource[]): string {
  const open = sources.filter(({ episode }) => episode !== null).length;
  const known = sources.length === 0 ? 'no source yet' : counted(sources.length, 'source');
  return `logdrift ${url.host}: ${known}, ${open === 0 ? 'no anomaly' : counted(open, 'anomaly', 'anomalies')} open`;
}

function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** Where a service with this configuration is asked from its own machine. */
function ownAdmin(endpoint: string): URL {
  const { host, port } = parseEndpoint(endpoint);
  if (port === 0) throw new AdminUnreachableError('admin.endpoint takes any free port: say which with --admin URL');
  const address = isEverything(host) ? (host === '::' ? '::1' : '127.0.0.1') : host;
  return new URL(`http://${formatEndpoint({ host: address, port })}`);
}
