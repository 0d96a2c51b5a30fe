/** Our HTTP/2 for h2spec: every request is answered with a line of text. Port, then certificate and key for TLS, are arguments. */
import { readFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { Http2Connection } from '../../src/receive/http2/connection.ts';
import { encodeHeaders } from '../../src/receive/http2/hpack.ts';
import type { Http2Stream, StreamListener } from '../../src/receive/http2/stream.ts';

const OK = encodeHeaders({ ':status': 200 });
const TRAILERS = encodeHeaders({ 'grpc-status': 0 });
const BODY = Buffer.from('template mined');

function onStream(stream: Http2Stream): StreamListener {
  return {
    data: () => {},
    end: () => {
      stream.respond(OK);
      stream.write(BODY);
      stream.end(TRAILERS);
    },
    overdue: () => stream.end(TRAILERS),
    left: () => stream.end(TRAILERS),
  };
}

const accept = (socket: Socket): void => {
  new Http2Connection(socket, {
    maxConcurrentStreams: 100,
    windowBytes: 4_194_304,
    readMs: 300_000,
    pingMs: 60_000,
    pingTimeoutMs: 20_000,
    idleMs: null,
    ageMs: null,
    ageGraceMs: 30_000,
    onStream,
    onFault: (error) => {
      throw error;
    },
  });
};
const [cert, key] = process.argv.slice(2);
const server =
  cert === undefined || key === undefined
    ? createServer(accept)
    : createTlsServer({ cert: readFileSync(cert), key: readFileSync(key), ALPNProtocols: ['h2'] }, accept);
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') process.stdout.write(`${address.port}\n`);
});
