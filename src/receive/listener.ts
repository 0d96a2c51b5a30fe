/** The listening side of a receiver, the same for both protocols: port, TLS, connection limit, lifetime. */
import type { Server as NetServer } from 'node:net';
import type { Server as TlsServer } from 'node:tls';
import { listen } from '../net/listen.ts';
import { trackConnections, type Connections } from './connections.ts';
import { DEFAULT_MAX_CONNECTIONS, type Receiver, type ReceiverOptions, type Transport } from './receiver.ts';
import { keepTlsFresh } from './tls.ts';

const DEFAULT_GRACE_MS = 5000;
/** A client that is still shaking hands at the end is not waited for longer: it has sent nothing. */
const HANDSHAKE_GRACE_MS = 1000;

/** Configuration keys that an error names. */
export interface ListenerKeys {
  transport: Transport;
  endpoint: string;
  tls: string;
}

/**
 * Listens with `server` (a TLS server when `options.tls` is set).
 * @param shutDown ends connections that are idle at once, others after their answer, all after `graceMs`
 * @throws {ListenError} when the endpoint cannot be listened on
 */
export async function openReceiver(
  server: NetServer,
  { endpoint, tls = null, maxConnections: limit = DEFAULT_MAX_CONNECTIONS, onOddity }: ReceiverOptions,
  { transport, ...keys }: ListenerKeys,
  shutDown: (graceMs: number, connections: Connections) => Promise<void>,
): Promise<Receiver> {
  const connections = trackConnections(server, limit, () => onOddity?.({ kind: 'connection_limit', transport, limit }));
  const { port } = await listen(server, endpoint, keys.endpoint);
  const freshness =
    tls === null ? null : keepTlsFresh(server as TlsServer, { files: tls, configKey: keys.tls, transport, onOddity });
  let closing: Promise<void> | undefined;
  const close = (graceMs: number): Promise<void> => {
    freshness?.[Symbol.dispose]();
    return (closing ??= shutDownSoon(graceMs));
  };
  const shutDownSoon = async (graceMs: number): Promise<void> => {
    const hurry = setTimeout(() => connections.cutHandshakes(), Math.min(graceMs, HANDSHAKE_GRACE_MS));
    await shutDown(graceMs, connections);
    clearTimeout(hurry);
  };
  return {
    port,
    get connections() {
      return connections.size;
    },
    close,
    [Symbol.asyncDispose]: () => close(DEFAULT_GRACE_MS),
  };
}
