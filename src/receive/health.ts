/**
 * grpc.health.v1 on the OTLP port (https://github.com/grpc/grpc/blob/master/doc/health-checking.md): two messages of one field each, so
 * by hand.
 */
import {
  status as Grpc,
  type Server,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
} from '@grpc/grpc-js';
import { WireReader } from './wire.ts';

export const HEALTH_SERVICE = 'grpc.health.v1.Health';
/** `''` is the server as a whole. */
const SERVICES = ['', 'opentelemetry.proto.collector.logs.v1.LogsService'];
/** Each is an open stream; health checkers hold one a connection. */
const MAX_WATCHERS = 100;
const MAX_NAME_BYTES = 1024;

/** HealthCheckResponse.ServingStatus */
const SERVING = 1;
const NOT_SERVING = 2;
const SERVICE_UNKNOWN = 3;

/** Not the bare name: grpc-js takes an empty string for a message that did not come. */
interface HealthCheckRequest {
  service: string;
}

type Watcher = ServerWritableStream<HealthCheckRequest, number>;

export interface Health {
  /** Says NOT_SERVING, and ends the watching streams so that they do not hold up a shutdown. */
  stop(): void;
}

export function addHealthService(server: Server): Health {
  let serving = SERVING;
  const watchers = new Set<Watcher>();
  const base = {
    requestStream: false,
    requestSerialize: Buffer.from,
    requestDeserialize: readRequest,
    responseSerialize: writeStatus,
    responseDeserialize: Number,
  };
  server.addService(
    {
      Check: { ...base, path: `/${HEALTH_SERVICE}/Check`, responseStream: false },
      Watch: { ...base, path: `/${HEALTH_SERVICE}/Watch`, responseStream: true },
    },
    {
      Check: (call: ServerUnaryCall<HealthCheckRequest, number>, callback: sendUnaryData<number>) => {
        if (SERVICES.includes(call.request.service)) callback(null, serving);
        else callback({ code: Grpc.NOT_FOUND, details: 'unknown service' });
      },
      Watch: (call: Watcher) => {
        if (watchers.size >= MAX_WATCHERS) {
          call.emit('error', { code: Grpc.RESOURCE_EXHAUSTED, details: `at most ${MAX_WATCHERS} may watch` });
          return;
        }
        watchers.add(call);
        call.on('cancelled', () => watchers.delete(call));
        call.write(SERVICES.includes(call.request.service) ? serving : SERVICE_UNKNOWN);
        if (serving !== SERVING) call.end();
      },
    },
  );
  return {
    stop() {
      serving = NOT_SERVING;
      for (const call of watchers) {
        if (SERVICES.includes(call.request.service)) call.write(serving);
        call.end();
      }
      watchers.clear();
    },
  };
}

/** HealthCheckRequest { string service = 1; } A name we cannot read is one we do not know. */
function readRequest(bytes: Buffer): HealthCheckRequest {
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
    return { service };
  } catch {
    return { service: '\0' };
  }
}

/** HealthCheckResponse { ServingStatus status = 1; } */
function writeStatus(status: number): Buffer {
  return Buffer.from([0x08, status]);
}
