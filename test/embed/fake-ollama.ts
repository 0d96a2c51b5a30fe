/** A real HTTP server on port 0 that speaks Ollama's `/api/embed` (and OpenAI's `/v1/embeddings`) and can misbehave. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FakeOllama extends AsyncDisposable {
  url: string;
  /** Inputs of all requests, in order; warm-ups (`input: []`) are in `warmUps`. */
  requests: string[][];
  warmUps: number;
  /** Parsed bodies, warm-ups included. */
  bodies: Record<string, unknown>[];
  paths: string[];
  headers: IncomingMessage['headers'][];
  mostInFlight: number;
  connections: number;
  /** Takes over a response; return true when it did. Runs before `delayMs`. */
  misbehave: ((input: string[], response: ServerResponse) => boolean) | null;
  /** Wait before every answer. */
  delayMs: number;
  dimensions: number;
}

/** The vector the fake gives: unnormalised, different for different texts. */
export function fakeVector(text: string, dimensions: number): number[] {
  const digest = createHash('sha256').update(text).digest();
  return Array.from({ length: dimensions }, (_, index) => digest[index % 32]! - 127.5);
}

export async function startFakeOllama(): Promise<FakeOllama> {
  let inFlight = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => answer(request, response, Buffer.concat(chunks).toString()));
  });
  function answer(request: IncomingMessage, response: ServerResponse, text: string): void {
    const body = JSON.parse(text) as { input: string[] } & Record<string, unknown>;
    fake.bodies.push(body);
    fake.paths.push(request.url!);
    fake.headers.push(request.headers);
    if (body.input.length === 0) {
      fake.warmUps++;
      response.end('{"embeddings":[]}');
      return;
    }
    fake.requests.push(body.input);
    fake.mostInFlight = Math.max(fake.mostInFlight, ++inFlight);
    response.on('close', () => inFlight--);
    if (fake.misbehave?.(body.input, response)) return;
    const vectors = body.input.map((input) => fakeVector(input, fake.dimensions));
    const json = request.url!.endsWith('/v1/embeddings')
      ? { data: vectors.map((embedding, index) => ({ index, embedding })).reverse() }
      : { embeddings: vectors };
    setTimeout(() => response.end(JSON.stringify(json)), fake.delayMs);
  }
  // No `Keep-Alive: timeout=5` hint: Ollama gives none, and undici would go by it.
  server.keepAliveTimeout = 0;
  server.on('connection', () => fake.connections++);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const fake: FakeOllama = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    warmUps: 0,
    bodies: [],
    paths: [],
    headers: [],
    mostInFlight: 0,
    connections: 0,
    misbehave: null,
    delayMs: 0,
    dimensions: 8,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await server[Symbol.asyncDispose]();
    },
  };
  return fake;
}

/** Answers with a status and a body. */
export function respond(response: ServerResponse, status: number, body: unknown): true {
  response.statusCode = status;
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
  return true;
}
