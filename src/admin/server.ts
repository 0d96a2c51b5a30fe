/**
 * `admin.endpoint`: the JSON API, the event stream and the page. Read only.
 *
 *     GET /                                             the page
 *     GET /api/v1/stats                                 {"enabled":true,"active_detectors":N,"sources":[…]}
 *     GET /api/v1/sources                               {"sources":[…]}
 *     GET /api/v1/sources/:key                          the key URL-encoded: file%3Anginx
 *     GET /api/v1/sources/:key/windows/:id/explain
 *     GET /api/v1/anomalies                             {"anomalies":[…]}, newest first, the last 1,000
 *     GET /api/v1/events                                Server-Sent Events: `anomaly`, `step`
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AnomalyLine } from '../alert/anomaly-line.ts';
import type { WindowExplanation } from '../detect/verdict.ts';
import { listen } from '../net/listen.ts';
import type { Log } from '../telemetry/log.ts';
import { EventStream, type AdminEvent } from './events.ts';
import { hostCheck, tokenCheck } from './guard.ts';
import { explanationJson, sourceJson, summaryJson, type SourceSummary } from './json.ts';
import { CONTENT_SECURITY_POLICY, PAGE } from './page/page.ts';

export interface AdminOptions {
  /** host:port; off loopback it needs `tokenFile`. */
  endpoint: string;
  tokenFile: string | null;
  log: Log;
  stats: () => { enabled: boolean; activeDetectors: number; sources: string[] };
  sources: () => SourceSummary[];
  source: (key: string) => SourceSummary | null;
  /** Null when the source or the window is not known (any more). */
  explain: (key: string, windowId: number) => Promise<WindowExplanation | null>;
  /** Newest first. */
  anomalies: () => AnomalyLine[];
  /** Calls `send` at each event until the returned function is called. */
  subscribe: (send: (event: AdminEvent) => void) => () => void;
}

export interface AdminServer extends AsyncDisposable {
  port: number;
}

/** An answer other than 200; the message is for the reader. */
class HttpProblem extends Error {
  readonly status: number;
  readonly code: string;
  readonly headers: Record<string, string>;
  constructor(status: number, code: string, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

const SECURITY_HEADERS = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': CONTENT_SECURITY_POLICY,
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};
const EXPLAIN_TIMEOUT_MS = 10_000;
/** Explaining costs a shard some milliseconds each; scoring goes first. */
const MAX_EXPLAINING = 4;

/** @throws AdminError without a token where one is needed; ListenError when the port cannot be bound */
export async function startAdminServer(options: AdminOptions): Promise<AdminServer> {
  const isOurHost = hostCheck(options.endpoint);
  const mayAsk = tokenCheck(options.endpoint, options.tokenFile);
  const events = new EventStream();
  let explaining = 0;

  const server = createServer(
    { headersTimeout: 10_000, requestTimeout: 10_000, keepAliveTimeout: 75_000, maxHeaderSize: 16_384 },
    (request, response) => {
      for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
      respond(request, response).catch((error: unknown) => sendProblem(response, error));
    },
  );
  server.maxConnections = 256;

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!isOurHost(request.headers.host)) {
      throw new HttpProblem(403, 'forbidden_host', 'this Host is not served; use localhost or the configured host');
    }
    if (request.method !== 'GET') {
      throw new HttpProblem(405, 'method_not_allowed', 'only GET', { Allow: 'GET' });
    }
    const path = (request.url ?? '/').split('?', 1)[0]!;
    // The page holds no data: it asks for the token and then for the data.
    if (path === '/') return send(response, 200, 'text/html; charset=utf-8', PAGE);
    if (!mayAsk(request.headers.authorization)) {
      const headers = { 'WWW-Authenticate': 'Bearer realm="logdrift"' };
      throw new HttpProblem(
        401,
        'unauthorized',
        'needs Authorization: Bearer with the token of admin.token_file',
        headers,
      );
    }
    if (path === '/api/v1/events') {
      if (events.add(response)) return;
      throw new HttpProblem(503, 'too_many_clients', 'too many event streams are open', { 'Retry-After': '30' });
    }
    sendJson(response, 200, await answer(path));
  }

  async function answer(path: string): Promise<unknown> {
    const [, api, version, resource, ...rest] = path.split('/').map(decodeSegment);
    if (api === 'api' && version === 'v1') {
      const [key, windows, windowId, explain] = rest;
      if (resource === 'stats' && rest.length === 0) return statsJson();
      if (resource === 'anomalies' && rest.length === 0) return { anomalies: options.anomalies() };
      if (resource === 'sources' && rest.length === 0) return { sources: options.sources().map(summaryJson) };
      if (resource === 'sources' && rest.length === 1) return sourceJson(known(options.source(key!), 'source'));
      if (resource === 'sources' && rest.length === 4 && windows === 'windows' && explain === 'explain') {
        return explanationJson(known(await explainWindow(key!, windowId!), 'window'));
      }
    }
    throw new HttpProblem(404, 'not_found', 'there is no such resource');
  }

  /** The seed's answer: exactly these keys, in this order. */
  function statsJson(): unknown {
    const { enabled, activeDetectors, sources } = options.stats();
    return { enabled, active_detectors: activeDetectors, sources };
  }

  async function explainWindow(key: string, windowId: string): Promise<WindowExplanation | null> {
    if (!/^\d{1,15}$/.test(windowId)) throw new HttpProblem(400, 'bad_request', 'a window id is a number');
    if (explaining >= MAX_EXPLAINING) {
      throw new HttpProblem(503, 'busy', 'too many windows are being explained', { 'Retry-After': '1' });
    }
    explaining++;
    const explained = options.explain(key, Number(windowId)).finally(() => explaining--);
    return within(explained, EXPLAIN_TIMEOUT_MS);
  }

  function sendProblem(response: ServerResponse, error: unknown): void {
    const problem =
      error instanceof HttpProblem ? error : new HttpProblem(500, 'internal', 'something failed here; see the log');
    if (problem !== error) options.log.warnLimited('admin', 'Admin request failed', { error: String(error) });
    if (response.headersSent) {
      response.destroy();
      return;
    }
    for (const [name, value] of Object.entries(problem.headers)) response.setHeader(name, value);
    sendJson(response, problem.status, { error: { code: problem.code, message: problem.message } });
  }

  const { port } = await listen(server, options.endpoint, 'admin.endpoint').catch((error: unknown) => {
    events.close();
    throw error;
  });
  const unsubscribe = options.subscribe((event) => events.send(event));
  return {
    port,
    async [Symbol.asyncDispose]() {
      unsubscribe();
      events.close();
      server.closeAllConnections();
      await server[Symbol.asyncDispose]();
    },
  };
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new HttpProblem(400, 'bad_request', 'the path is not URL-encoded properly');
  }
}

function known<T>(found: T | null, what: string): T {
  if (found === null) throw new HttpProblem(404, 'not_found', `this ${what} is not known (any more)`);
  return found;
}

async function within<T>(promise: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new HttpProblem(504, 'timeout', 'explaining took too long')), timeoutMs);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  send(response, status, 'application/json', JSON.stringify(body));
}

function send(response: ServerResponse, status: number, contentType: string, body: string): void {
  response.writeHead(status, { 'Content-Type': contentType, 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}
