/**
 * The OTLP log service one writes in an afternoon, as the thing to compare with end to end: grpc-js with proto-loader and its usual options,
 * node:http with the same decoder, every record an object, and Drain over strings (split at whitespace, four regex masks, nested Maps). It does what our path does, count
 * records by template, and nothing else.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
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
  httpPort: number;
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

  const take = ({ resourceLogs }: NaiveRequest): void => {
    for (const { resource, scopeLogs } of resourceLogs) {
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
  };

  const { LogsService } = services.opentelemetry.proto.collector.logs.v1;
  const server = new Server({ 'grpc.max_receive_message_length': 67_108_864 });
  server.addService(LogsService.service, {
    Export: (call: ServerUnaryCall<NaiveRequest, object>, callback: sendUnaryData<object>) => {
      take(call.request);
      callback(null, {});
    },
  });
  const decode = LogsService.service['Export']!.requestDeserialize as (bytes: Buffer) => NaiveRequest;
  const http = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      take(decode(request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body));
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
    });
  });
  await new Promise<void>((listening) => http.listen(0, '127.0.0.1', listening));
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
    if (error) reject(error);
    else resolve(port);
  });
  return {
    port: await promise,
    httpPort: (http.address() as AddressInfo).port,
    close: () => {
      server.forceShutdown();
      http.close();
    },
    counted: () => ({
      records,
      templates: [...drains.values()].reduce((sum, drain) => sum + drain.clusters.length, 0),
    }),
  };
}
