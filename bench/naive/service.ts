/**
 * The OTLP log service one writes in an afternoon, as the thing to compare with end to end: grpc-js with proto-loader and its usual options,
 * every record an object, and Drain over strings (split at whitespace, four regex masks, nested Maps). It does what our path does, count
 * records by template, and nothing else.
 */
import {
  loadPackageDefinition,
  Server,
  ServerCredentials,
  type sendUnaryData,
  type ServerUnaryCall,
  type ServiceClientConstructor,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { LOGS_SERVICE_PROTO, PROTO_ROOT } from '../load.ts';
import { createStringDrain } from '../string-drain.ts';

/** The options that every tutorial has. */
export const PROTO_LOADER_OPTIONS = { longs: String, enums: String, defaults: true, oneofs: true } as const;

interface NaiveRequest {
  resourceLogs: {
    resource: { attributes: { key: string; value: { stringValue?: string } | null }[] } | null;
    scopeLogs: { logRecords: { body: { stringValue?: string } | null }[] }[];
  }[];
}

export interface NaiveService {
  port: number;
  close(): void;
  counted(): { records: number; templates: number };
}

export async function startNaiveService(): Promise<NaiveService> {
  const definition = loadSync(LOGS_SERVICE_PROTO, { ...PROTO_LOADER_OPTIONS, includeDirs: [PROTO_ROOT] });
  const services = loadPackageDefinition(definition) as unknown as {
    opentelemetry: { proto: { collector: { logs: { v1: { LogsService: ServiceClientConstructor } } } } };
  };
  const drains = new Map<string, ReturnType<typeof createStringDrain>>();
  let records = 0;

  const server = new Server({ 'grpc.max_receive_message_length': 67_108_864 });
  server.addService(services.opentelemetry.proto.collector.logs.v1.LogsService.service, {
    Export: (call: ServerUnaryCall<NaiveRequest, object>, callback: sendUnaryData<object>) => {
      for (const { resource, scopeLogs } of call.request.resourceLogs) {
        const service = resource?.attributes.find(({ key }) => key === 'service.name')?.value?.stringValue ?? 'unknown';
        let drain = drains.get(service);
        if (drain === undefined) drains.set(service, (drain = createStringDrain()));
        for (const { logRecords } of scopeLogs) {
          for (const { body } of logRecords) {
            drain.observe(body?.stringValue ?? '');
            records++;
          }
        }
      }
      callback(null, {});
    },
  });
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
    if (error) reject(error);
    else resolve(port);
  });
  return {
    port: await promise,
    close: () => server.forceShutdown(),
    counted: () => ({
      records,
      templates: [...drains.values()].reduce((sum, drain) => sum + drain.clusters.length, 0),
    }),
  };
}
