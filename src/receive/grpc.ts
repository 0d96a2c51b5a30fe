/** OTLP/gRPC: `opentelemetry.proto.collector.logs.v1.LogsService/Export`. Other services answer UNIMPLEMENTED by themselves. */
import {
  logVerbosity,
  Metadata,
  setLogVerbosity,
  Server,
  ServerCredentials,
  status as Grpc,
  type sendUnaryData,
  type ServerUnaryCall,
  type ServiceDefinition,
} from '@grpc/grpc-js';
import { encodeResponse, encodeStatus } from './encode-response.ts';
import { exportLogs } from './export.ts';
import { listenError } from '../net/listen.ts';
import type { Receiver, ReceiverOptions } from './receiver.ts';
import { toStatus } from './status.ts';

export const GRPC_ENDPOINT_KEY = 'receivers.otlp.protocols.grpc.endpoint';

/** Half-open connections (a sender's node died) are noticed after a minute and a half. */
const KEEPALIVE_TIME_MS = 60_000;
const KEEPALIVE_TIMEOUT_MS = 20_000;
const DEFAULT_GRACE_MS = 5000;

/**
 * Bytes in, bytes out: a deserializer that throws makes grpc-js answer INTERNAL where the specification wants INVALID_ARGUMENT, so the
 * handler decodes.
 */
const LOGS_SERVICE: ServiceDefinition = {
  Export: {
    path: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
    requestStream: false,
    responseStream: false,
    requestSerialize: identity,
    requestDeserialize: identity,
    responseSerialize: identity,
    responseDeserialize: identity,
  },
};

function identity(bytes: Buffer): Buffer {
  return bytes;
}

/** @throws {ListenError} when the endpoint cannot be listened on */
export async function openGrpcReceiver(options: ReceiverOptions): Promise<Receiver> {
  const server = new Server({
    // Holds for the message as sent and after decompression; beyond it grpc-js answers RESOURCE_EXHAUSTED.
    'grpc.max_receive_message_length': options.maxRequestBytes,
    'grpc.keepalive_time_ms': KEEPALIVE_TIME_MS,
    'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
  });
  server.addService(LOGS_SERVICE, {
    Export: (call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>) => {
      void answer(call, callback, options);
    },
  });
  const port = await listen(server, options.endpoint);

  let closing: Promise<void> | undefined;
  const close = (graceMs: number): Promise<void> => (closing ??= shutDown(server, graceMs));
  return { port, close, [Symbol.asyncDispose]: () => close(DEFAULT_GRACE_MS) };
}

function listen(server: Server, endpoint: string): Promise<number> {
  // grpc-js writes a line of its own to stderr about what we tell as ListenError.
  if (process.env['GRPC_VERBOSITY'] === undefined && process.env['GRPC_NODE_VERBOSITY'] === undefined) {
    setLogVerbosity(logVerbosity.NONE);
  }
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.bindAsync(endpoint, ServerCredentials.createInsecure(), (error, boundPort) => {
    if (error === null) resolve(boundPort);
    else reject(listenError(error, endpoint, GRPC_ENDPOINT_KEY));
  });
  return promise;
}

/** Never rejects: whatever happens becomes the call's status. */
async function answer(
  call: ServerUnaryCall<Buffer, Buffer>,
  callback: sendUnaryData<Buffer>,
  { target, observe, onFault }: ReceiverOptions,
): Promise<void> {
  const gone = new AbortController();
  // grpc-js says it of every call whose stream closes; making an AbortError costs 15 µs, so those already answered are left alone.
  let answered = false;
  call.on('cancelled', () => answered || gone.abort());
  const bytes = call.request.length;
  try {
    const outcome = await exportLogs(call.request, 'protobuf', target, gone.signal);
    answered = true;
    callback(null, encodeResponse(outcome, 'protobuf'));
    const refusedRecords = outcome.rejectedLogRecords;
    observe?.({
      transport: 'grpc',
      code: 'OK',
      acceptedRecords: outcome.records - refusedRecords,
      refusedRecords,
      bytes,
    });
  } catch (error) {
    const status = toStatus(error);
    const metadata = new Metadata();
    metadata.set('grpc-status-details-bin', encodeStatus(status, 'protobuf'));
    answered = true;
    callback({ code: status.grpcCode, details: status.message, metadata });
    observe?.({ transport: 'grpc', code: Grpc[status.grpcCode]!, acceptedRecords: 0, refusedRecords: 0, bytes });
    if (status.kind === 'internal') onFault?.(error);
  }
}

function shutDown(server: Server, graceMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const force = setTimeout(() => {
    server.forceShutdown();
    resolve();
  }, graceMs);
  server.tryShutdown(() => {
    clearTimeout(force);
    resolve();
  });
  return promise;
}
