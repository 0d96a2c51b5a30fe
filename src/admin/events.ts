/** `/api/v1/events`: Server-Sent Events to a bounded number of clients, each with a bounded buffer. */
import type { ServerResponse } from 'node:http';

export type AdminEvent = { event: 'anomaly' | 'step'; data: unknown };

const MAX_CLIENTS = 32;
/** A client this far behind is cut off; it reconnects and reads the lists anew. */
const MAX_BUFFERED_BYTES = 1_048_576;
/** Keeps proxies from closing a quiet stream, and finds clients that have gone. */
const HEARTBEAT_MS = 15_000;

export class EventStream {
  readonly #clients = new Set<ServerResponse>();
  readonly #heartbeat: NodeJS.Timeout;

  constructor() {
    this.#heartbeat = setInterval(() => this.#write(': still here\n\n'), HEARTBEAT_MS);
    this.#heartbeat.unref();
  }

  get size(): number {
    return this.#clients.size;
  }

  /** @returns false when there are too many already */
  add(response: ServerResponse): boolean {
    if (this.#clients.size >= MAX_CLIENTS) return false;
    this.#clients.add(response);
    response.on('close', () => this.#clients.delete(response));
    response.on('error', () => this.#clients.delete(response));
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' });
    response.write('retry: 3000\n\n');
    return true;
  }

  /** JSON has no raw newline, so one `data:` line holds it. */
  send({ event, data }: AdminEvent): void {
    if (this.#clients.size > 0) this.#write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  close(): void {
    clearInterval(this.#heartbeat);
    for (const client of this.#clients) client.destroy();
    this.#clients.clear();
  }

  #write(text: string): void {
    for (const client of this.#clients) {
      if (client.writableLength > MAX_BUFFERED_BYTES) client.destroy();
      else client.write(text);
    }
  }
}
