/** Well-formed inputs to start from: requests with every kind of content, and what a gRPC client really writes on a connection. */
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { Client, credentials } from '@grpc/grpc-js';
import { FLAG, FRAME, PREFACE } from '../../src/receive/http2/frames.ts';
import { encodeRequest, requestOf, stringAttribute } from '../receive/oracle.ts';
import { EXPORT, PROTOBUF } from '../receive/senders.ts';

const traceId = Buffer.from('4bf92f3577b34da6a3ce929d0e0e4736', 'hex');
const nested = { kvlistValue: { values: [{ key: 'msg', value: { arrayValue: { values: [{ intValue: 1 }, {}] } } }] } };
const bodies = [
  { stringValue: 'GET /cart 200 in 7 ms' },
  { boolValue: true },
  { intValue: -5 },
  { doubleValue: 0.5 },
  { bytesValue: Buffer.from('bytes') },
  { arrayValue: { values: [{ stringValue: 'a' }, nested] } },
  nested,
  { kvlistValue: { values: [{ key: 'MESSAGE', value: { stringValue: 'from journald' } }] } },
];
const rich = requestOf(
  bodies.map((body, k) => ({
    timeUnixNano: 1_544_712_660_300_000_000,
    observedTimeUnixNano: 1_544_712_660_300_000_001,
    severityNumber: k,
    severityText: 'INFO',
    body,
    attributes: [stringAttribute('log.record.template', 'GET <*>'), { key: 'n', value: { intValue: k } }],
    flags: 1,
    traceId,
    spanId: traceId.subarray(0, 8),
    eventName: 'e',
  })),
  [stringAttribute('service.name', 'api'), { key: 'list', value: nested }],
);

export const protobufSeeds = [
  encodeRequest(rich),
  encodeRequest(requestOf([{ body: { stringValue: 'hello' } }])),
  // Groups and unknown fields.
  Buffer.concat([Buffer.from([0xfb, 0x01, 0x08, 0x01, 0xfc, 0x01]), encodeRequest(requestOf([{}]))]),
  Buffer.alloc(0),
];

export const jsonSeeds = [
  JSON.stringify(rich, (_key, value: unknown) => (Buffer.isBuffer(value) ? value.toString('hex') : value)),
  '{"resourceLogs":[{"resource":{"attributes":[{"key":"a","value":{"bytesValue":"aGk="}}]},"scopeLogs":[{"scope":{"name":"s"},"logRecords":[{"timeUnixNano":"1544712660300000000","severityNumber":"SEVERITY_NUMBER_WARN","body":{"doubleValue":"NaN"}},{"body":null},{"body":{"stringValueStrindex":1}}]}]}]}',
  '{"resource_logs":[{"scope_logs":[{"log_records":[{"body":{"string_value":"\\ud800 \\u0000"}}]}]}]}',
  '{}',
].map((text) => Buffer.from(text));

export const http1Seeds = [
  `POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Type: ${PROTOBUF}\r\nContent-Length: ${protobufSeeds[1]!.length}\r\n\r\n`,
  'POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n',
].map((head, k) => (k === 0 ? Buffer.concat([Buffer.from(head), protobufSeeds[1]!]) : Buffer.from(head)));

/** The bytes of a connection with one Export call, as grpc-js writes them. */
export async function recordHttp2(compression: 0 | 2): Promise<Buffer> {
  let written = Buffer.alloc(0);
  const { promise: called, resolve } = Promise.withResolvers<void>();
  const server = createServer((socket) => {
    socket.on('data', (chunk: Buffer) => {
      written = Buffer.concat([written, chunk]);
      if (isWholeCall(written)) resolve();
    });
    socket.on('error', () => {});
    // An empty SETTINGS frame: the client waits for it before it sends its call.
    socket.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
    'grpc.default_compression_algorithm': compression,
  });
  const same = (bytes: Buffer): Buffer => bytes;
  const call = client.makeUnaryRequest(EXPORT, same, same, protobufSeeds[0]!, () => {});
  await called;
  // It is never answered, and would keep its connection, and the process, for ever.
  call.cancel();
  client.close();
  server.close();
  return written;
}

/** A DATA frame that ends its stream is there. */
function isWholeCall(written: Buffer): boolean {
  for (let at = PREFACE.length; at + 9 <= written.length;) {
    const end = at + 9 + written.readUIntBE(at, 3);
    if (written[at + 3] === FRAME.data && (written[at + 4]! & FLAG.endStream) !== 0) return end <= written.length;
    at = end;
  }
  return false;
}
