/** Counting and bounding the connections of a listener, and cutting those that are left at the end. */
import type { Server, Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';

export interface Connections {
  readonly size: number;
  cut(): void;
  /** Those whose TLS handshake is not complete. */
  cutHandshakes(): void;
}

/** @param onLimit a connection was closed because there are `limit` already */
export function trackConnections(server: Server, limit: number, onLimit: () => void): Connections {
  const sockets = new Set<Socket>();
  /** By their peer, which the encrypted socket on top of them has, too. */
  const handshaking = new Map<string, Socket>();
  server.maxConnections = limit;
  server.on('drop', onLimit);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    const peer = peerOf(socket);
    if (server instanceof TlsServer) handshaking.set(peer, socket);
    socket.once('close', () => {
      sockets.delete(socket);
      if (handshaking.get(peer) === socket) handshaking.delete(peer);
    });
  });
  server.on('secureConnection', (socket: Socket) => handshaking.delete(peerOf(socket)));
  return {
    get size() {
      return sockets.size;
    },
    cut() {
      for (const socket of sockets) socket.destroy();
    },
    cutHandshakes() {
      for (const socket of handshaking.values()) socket.destroy();
    },
  };
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
