/** What to do about a destination that did not take a record. */

/** The first that fits. `reason` begins with `HTTP 401 from …` or `UNAUTHENTICATED from …` where there was an answer, see `alert/otlp-http.ts` and `otlp-grpc.ts`. */
const ADVICE: readonly (readonly [RegExp, string])[] = [
  [
    /^HTTP 200 /,
    'this is some web server or a login page, no OTLP receiver: check host, port and path of exporters.otlp.endpoint',
  ],
  [
    /^(HTTP 40[137]|UNAUTHENTICATED|PERMISSION_DENIED) /,
    'the credentials are missing or not the right ones: check exporters.otlp.headers (authorization: Bearer …)',
  ],
  [
    /^HTTP (404|405|501) /,
    'OTLP logs are not received at this path: exporters.otlp.endpoint is a base URL to which /v1/logs is added; does the destination receive logs?',
  ],
  [/^HTTP 3\d\d /, 'redirects are not followed: put the address it points to in exporters.otlp.endpoint'],
  [/^HTTP 415 /, 'it does not take OTLP in protobuf over HTTP: try exporters.otlp.protocol: grpc with its gRPC port'],
  [
    /^(HTTP 400|INVALID_ARGUMENT) /,
    'it could not read the record, or misses something, a tenant header for example: its own log says more',
  ],
  [/^UNIMPLEMENTED /, 'this gRPC server does not receive OTLP logs: check the port, and that its logs pipeline is on'],
  [
    /^(HTTP (429|502|503|504)|RESOURCE_EXHAUSTED) |^UNAVAILABLE (?!.*(No connection established|Name resolution))/,
    'the destination, or a proxy before it, is overloaded or not ready: look at its log and try again',
  ],
  [/^(HTTP 5\d\d|INTERNAL|UNKNOWN|DATA_LOSS) /, 'it failed on the record: its own log says why'],
  [
    /ECONNREFUSED/,
    'nothing listens there: check host and port of exporters.otlp.endpoint (4318 is usual for http/protobuf, 4317 for grpc); in a container localhost is the container itself',
  ],
  [
    /ENOTFOUND|EAI_AGAIN|Name resolution/,
    'the name cannot be resolved: check the host of exporters.otlp.endpoint, and DNS here',
  ],
  [/wrong version number/, 'it does not speak TLS on this port: write http:// in place of https://'],
  [
    /certificate|CERT_|altnames/i,
    'its TLS certificate is not trusted here: use the name it was made for; its authority goes into the file that the environment variable NODE_EXTRA_CA_CERTS names',
  ],
  [
    /HTTP\/1\.1 protocol|Expected HTTP\//,
    'this port does not speak HTTP/1.1; if it is a gRPC port, set exporters.otlp.protocol: grpc',
  ],
  [
    /Protocol error|no application protocol/,
    'this port does not speak HTTP/2, so it is no gRPC port: set exporters.otlp.protocol: http/protobuf, or use the gRPC port (4317)',
  ],
  [
    /other side closed|ECONNRESET|EPIPE|Failed to connect/,
    'it closed the connection at once: does it want TLS (https://), or does it speak the other protocol (exporters.otlp.protocol)?',
  ],
  [
    /timeout|DEADLINE_EXCEEDED|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH/i,
    'no answer in time: a firewall or a wrong host; exporters.otlp.timeout says how long to wait',
  ],
];

/** One line for people. */
export function deliveryAdvice(reason: string): string {
  return ADVICE.find(([pattern]) => pattern.test(reason))?.[1] ?? "look at the destination's own log";
}
