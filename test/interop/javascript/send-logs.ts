/**
 * Logs `records` lines through one official exporter of the packages that `folder` has:
 * send-logs.ts FOLDER grpc|http/protobuf|http/json ENDPOINT none|gzip SERVICE RECORDS
 */
import { createRequire } from 'node:module';

const EXPORTERS: Record<string, string> = {
  grpc: 'exporter-logs-otlp-grpc',
  'http/protobuf': 'exporter-logs-otlp-proto',
  'http/json': 'exporter-logs-otlp-http',
};

const [folder = '', protocol = '', url = '', compression = '', service = '', records = ''] = process.argv.slice(2);
const load = createRequire(folder);
const { LoggerProvider, BatchLogRecordProcessor } = load('@opentelemetry/sdk-logs');
const { Resource, resourceFromAttributes } = load('@opentelemetry/resources');
const { OTLPLogExporter } = load(`@opentelemetry/${EXPORTERS[protocol]}`);

const attributes = { 'service.name': service };
const exporter = new OTLPLogExporter({ url, compression });
const limits = { maxQueueSize: 1_000_000 };
// SDK 1.x (trains up to 0.57) has the classes' constructors of that time.
const isOld = Resource !== undefined;
const processor = isOld
  ? new BatchLogRecordProcessor(exporter, limits)
  : new BatchLogRecordProcessor({ exporter, ...limits });
const provider = isOld
  ? new LoggerProvider({ resource: new Resource(attributes) })
  : new LoggerProvider({ resource: resourceFromAttributes(attributes), processors: [processor] });
if (isOld) provider.addLogRecordProcessor(processor);

const logger = provider.getLogger('shop');
for (let number = 0; number < Number(records); number++) {
  logger.emit({
    severityNumber: 9,
    body: `order ${number} shipped to customer ${number % 97}`,
    attributes: { attempt: number % 3, ratio: 0.5, tags: ['a', 'b'] },
  });
}
await provider.shutdown();
