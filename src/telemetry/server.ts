/** `telemetry.endpoint`: `/metrics`, `/livez` and `/readyz`, and nothing else. It may face the whole cluster, so it tells nothing of the logs but source names. */
import { createServer, type ServerResponse } from 'node:http';
import { listen } from '../net/listen.ts';
import type { Log } from './log.ts';

export interface TelemetryServerOptions {
  /** host:port */
  endpoint: string;
  prometheusText: () => Promise<string>;
  /** False until the service takes records and again once it shuts down. */
  ready: () => boolean;
  log: Log;
}

export interface TelemetryServer extends AsyncDisposable {
  port: number;
}

/** Version 0.0.4 of the text format; Prometheus 3 refuses to guess. */
const PROMETHEUS_TEXT = 'text/plain; version=0.0.4; charset=utf-8';
const PLAIN = 'text/plain; charset=utf-8';

/** @throws ListenError when the port cannot be bound */
export async function startTelemetryServer(options: TelemetryServerOptions): Promise<TelemetryServer> {
  const server = createServer(
    // A kubelet or scraper sends its few headers at once; anything slower is not one.
    { headersTimeout: 10_000, requestTimeout: 10_000, keepAliveTimeout: 75_000, maxHeaderSize: 8_192 },
    (request, response) => {
      const path = (request.url ?? '/').split('?', 1)[0]!;
      const answer = ANSWERS.get(path);
      if (!answer) send(response, 404, PLAIN, 'not found: there are /metrics, /livez and /readyz\n');
      else if (request.method !== 'GET' && request.method !== 'HEAD') {
        response.setHeader('Allow', 'GET, HEAD');
        send(response, 405, PLAIN, 'method not allowed\n');
      } else {
        answer(options, response).catch((error: unknown) => {
          options.log.warnLimited('telemetry-server', `${path} failed`, { error: String(error) });
          send(response, 500, PLAIN, 'internal error\n');
        });
      }
    },
  );
  server.maxConnections = 256;
  const { port } = await listen(server, options.endpoint, 'telemetry.endpoint');
  return {
    port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await server[Symbol.asyncDispose]();
    },
  };
}

type Answer = (options: TelemetryServerOptions, response: ServerResponse) => Promise<void>;

const ANSWERS: ReadonlyMap<string, Answer> = new Map<string, Answer>([
  ['/metrics', async (options, response) => send(response, 200, PROMETHEUS_TEXT, await options.prometheusText())],
  ['/livez', async (_options, response) => send(response, 200, PLAIN, 'ok\n')],
  [
    '/readyz',
    async (options, response) =>
      options.ready() ? send(response, 200, PLAIN, 'ok\n') : send(response, 503, PLAIN, 'not ready\n'),
  ],
]);

function send(response: ServerResponse, status: number, contentType: string, body: string): void {
  response.writeHead(status, { 'Content-Type': contentType, 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}
