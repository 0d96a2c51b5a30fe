/**
 * Either half of a long way, each in a process of its own so that neither takes CPU from the other's event loop:
 * `proxy` holds all bytes back for `delayMs` in each direction, `client` sends requests that are encoded before the clock starts.
 */
import { once } from 'node:events';
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { buildRequest, EXPORT_PATH } from './load.ts';

export type Task =
  | { kind: 'proxy'; port: number; delayMs: number }
  | { kind: 'client'; port: number; batch: number; count: number; inFlight: number };

/** Answers to our responses are small: the client's own windows hold nothing up. */
const WINDOW_BYTES = 4_194_304;
const PREFIX_BYTES = 5;

async function proxy(port: number, delayMs: number): Promise<number> {
  const carry = (from: Socket, to: Socket): void => {
    from.setNoDelay(true);
    from.on('data', (bytes) => setTimeout(() => to.write(bytes), delayMs));
    from.on('end', () => setTimeout(() => to.end(), delayMs));
    from.on('error', () => to.destroy());
  };
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const upstream = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    carry(client, upstream);
    carry(upstream, client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** @returns seconds from the first request to the last answer, over one connection that is open already */
async function client({ port, batch, count, inFlight }: Extract<Task, { kind: 'client' }>): Promise<number> {
  const requests = Array.from({ length: 8 }, (_, i) =>
    framed(buildRequest({ records: batch, service: `service-${i}`, seed: i + 1, startMs: Date.now() + 3_600_000 })),
  );
  const session = connectHttp2(`http://127.0.0.1:${port}`, { settings: { initialWindowSize: WINDOW_BYTES } });
  await once(session, 'remoteSettings');
  const startMs = performance.now();
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await call(session, requests[next++ % requests.length]!);
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  const seconds = (performance.now() - startMs) / 1000;
  session.destroy();
  return seconds;
}

async function call(session: ClientHttp2Session, message: Buffer): Promise<void> {
  const stream = session.request({
    ':method': 'POST',
    ':path': EXPORT_PATH,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  let status: unknown;
  stream.on('trailers', (trailers) => (status = trailers['grpc-status']));
  stream.resume();
  stream.end(message);
  await once(stream, 'close');
  if (Number(status) !== 0) throw new Error(`grpc-status ${String(status)}`);
}

function framed(message: Buffer): Buffer {
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

process.on('message', (task: Task) => {
  void (task.kind === 'proxy' ? proxy(task.port, task.delayMs) : client(task)).then((answer) => process.send!(answer));
});
process.on('disconnect', () => process.exit(0));
