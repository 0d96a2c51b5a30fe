/** Counting and bounding the connections of a listener, and cutting those that are left at the end. */
import type { Server, Socket } from 'node:net';

export interface Connections {
  readonly size: number;
  cut(): void;
}

/** @param onLimit a connection was closed because there are `limit` already */
export function trackConnections(server: Server, limit: number, onLimit: () => void): Connections {
  const sockets = new Set<Socket>();
  server.maxConnections = limit;
  server.on('drop', onLimit);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return {
    get size() {
      return sockets.size;
    },
    cut() {
      for (const socket of sockets) socket.destroy();
    },
  };
}
