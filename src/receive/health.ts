/**
 * grpc.health.v1 on the OTLP port (https://github.com/grpc/grpc/blob/master/doc/health-checking.md): two messages of one field each, so
 * by hand.
 */
import { beginResponse, GrpcCall, sendMessage, sendOk, sendStatus } from './grpc-message.ts';
import type { Http2Stream, StreamListener } from './http2/stream.ts';
import { ReceiveError, toStatus } from './status.ts';
import { WireReader } from './protobuf/wire.ts';

export const HEALTH_SERVICE = 'grpc.health.v1.Health';
/** `''` is the server as a whole. */
const SERVICES = ['', 'opentelemetry.proto.collector.logs.v1.LogsService'];
/** Each is an open stream; health checkers hold one or two a connection. */
const MAX_WATCHERS = 1000;
const MAX_WATCHERS_A_CONNECTION = 10;
const MAX_NAME_BYTES = 1024;
const MAX_REQUEST_BYTES = 4096;

/** HealthCheckResponse.ServingStatus */
const SERVING = 1;
const NOT_SERVING = 2;
const SERVICE_UNKNOWN = 3;

export interface Health {
  /** Takes a call of a method of the service; null when it has no such method. */
  open(stream: Http2Stream, method: string): StreamListener | null;
  /** Says NOT_SERVING, and ends the watching streams so that they do not hold up a shutdown. */
  stop(): void;
}

export function createHealth(): Health {
  let serving = SERVING;
  /** With the service that is watched. */
  const watchers = new Map<Http2Stream, string>();
  const methods: Record<string, (call: GrpcCall, service: string) => void> = {
    Check: ({ stream }, service) => {
      if (!SERVICES.includes(service)) throw new ReceiveError('unknown_service', 'unknown service');
      beginResponse(stream);
      sendMessage(stream, writeStatus(serving));
      sendOk(stream);
    },
    Watch: ({ stream }, service) => {
      if (watchers.size >= MAX_WATCHERS) throw new ReceiveError('too_many', `at most ${MAX_WATCHERS} may watch`);
      let ofConnection = 0;
      for (const { carrier } of watchers.keys()) if (carrier === stream.carrier) ofConnection++;
      if (ofConnection >= MAX_WATCHERS_A_CONNECTION) {
        throw new ReceiveError('too_many', `at most ${MAX_WATCHERS_A_CONNECTION} may watch on one connection`);
      }
      beginResponse(stream);
      sendMessage(stream, writeStatus(SERVICES.includes(service) ? serving : SERVICE_UNKNOWN));
      if (serving === SERVING) watchers.set(stream, service);
      else sendOk(stream);
    },
  };
  return {
    open(stream, name) {
      const method = Object.hasOwn(methods, name) ? methods[name]! : null;
      if (method === null) return null;
      const failed = (_call: GrpcCall, error: unknown): void => sendStatus(stream, toStatus(error));
      const message = (call: GrpcCall, { bytes }: { bytes: Uint8Array }): void => {
        try {
          method(call, readService(bytes));
        } catch (error) {
          failed(call, error);
        }
      };
      const left = (): void => {
        if (watchers.delete(stream)) sendOk(stream);
      };
      return new GrpcCall(stream, { message, failed, left }, { maxBytes: MAX_REQUEST_BYTES, reservation: null });
    },
    stop() {
      serving = NOT_SERVING;
      for (const [stream, service] of watchers) {
        if (SERVICES.includes(service)) sendMessage(stream, writeStatus(serving));
        sendOk(stream);
      }
      watchers.clear();
    },
  };
}

/** HealthCheckRequest { string service = 1; } A name we cannot read is one we do not know. */
function readService(bytes: Uint8Array): string {
  const reader = new WireReader(bytes);
  let service = '';
  try {
    while (reader.pos < bytes.length) {
      const tag = reader.tag(bytes.length, 'service');
      if (tag !== 0x0a) {
        reader.skip(tag, bytes.length, 'service');
        continue;
      }
      const end = reader.payload(bytes.length, 'service');
      service = reader.string(reader.pos, end, MAX_NAME_BYTES);
      reader.pos = end;
    }
    return service;
  } catch {
    return '\0';
  }
}

/** HealthCheckResponse { ServingStatus status = 1; } */
function writeStatus(status: number): Buffer {
  return Buffer.from([0x08, status]);
}
