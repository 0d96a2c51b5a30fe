import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startServe, until } from '../service/harness.ts';
import { needsCollector, startCollector, temporaryFolder, type Collector, type Folder } from './collector.ts';
import { numbered, taken, untilAccepted, type Serve } from './counting.ts';

needsCollector('agent');

const CERTIFICATES = join(import.meta.dirname, '../testdata/tls');
const pem = (name: string): string => join(CERTIFICATES, name);
/** One request for each transport: of equal log lines the Collector writes only the first ten. */
const RECORDS = 50;

/** The Collector's extension that signs requests, as it is configured, and what logdrift is to check. */
interface Credentials {
  authenticator: 'bearertokenauth' | 'basicauth';
  /** Of the Collector. */
  extension: object;
  /** Content of logdrift's file. */
  file: string;
}

const bearer = (token: string): Credentials => ({
  authenticator: 'bearertokenauth',
  extension: { token },
  file: 'not-this-one\nthe-right-token\n',
});
const sha1 = (text: string): string => createHash('sha1').update(text).digest('base64');
const basic = (username: string, password: string): Credentials => ({
  authenticator: 'basicauth',
  extension: { client_auth: { username, password } },
  file: `shipper:the right password\nother:{SHA}${sha1('another one')}\n`,
});

/** Mutual TLS and credentials on both transports. */
async function startGuarded(folder: Folder, { authenticator, file }: Credentials): Promise<Serve> {
  const path = join(folder.path, 'credentials');
  await writeFile(path, file, { mode: 0o600 });
  const guards = ['grpc', 'http'].flatMap((protocol) => {
    const keys = `receivers.otlp.protocols.${protocol}`;
    return [
      [`${keys}.tls.cert_file`, pem('server.crt')],
      [`${keys}.tls.key_file`, pem('server.key')],
      [`${keys}.tls.client_ca_file`, pem('ca.crt')],
      [`${keys}.auth.authenticator`, authenticator],
    ];
  });
  const key = authenticator === 'basicauth' ? 'htpasswd.file' : 'filename';
  return startServe({ ...Object.fromEntries(guards), [`extensions.${authenticator}.${key}`]: path });
}

/** Sends a file's lines over both transports. */
async function sendBoth(
  folder: Folder,
  logdrift: Serve,
  { authenticator, extension }: Credentials,
  client = 'client',
): Promise<Collector> {
  await writeFile(join(folder.path, 'orders.log'), numbered(0, RECORDS));
  const guarded = {
    tls: {
      ca_file: pem('ca.crt'),
      cert_file: pem(`${client}.crt`),
      key_file: pem(`${client}.key`),
      server_name_override: 'localhost',
    },
    auth: { authenticator },
  };
  return startCollector(folder, {
    extensions: { [authenticator]: extension },
    receivers: { file_log: { include: [join(folder.path, 'orders.log')], start_at: 'beginning' } },
    exporters: {
      otlp_grpc: { endpoint: `127.0.0.1:${logdrift.ports.grpc}`, ...guarded },
      otlp_http: { endpoint: `https://127.0.0.1:${logdrift.ports.http}`, ...guarded },
    },
    service: {
      extensions: [authenticator],
      pipelines: { logs: { receivers: ['file_log'], exporters: ['otlp_grpc', 'otlp_http'] } },
    },
  });
}

test.for([
  { what: 'a bearer token', credentials: bearer('the-right-token') },
  { what: 'a password', credentials: basic('shipper', 'the right password') },
  { what: 'a password that logdrift has only the hash of', credentials: basic('other', 'another one') },
])('a Collector with a client certificate and $what gets through over both transports', async ({ credentials }) => {
  await using folder = await temporaryFolder();
  await using logdrift = await startGuarded(folder, credentials);
  await using _collector = await sendBoth(folder, logdrift, credentials);
  await untilAccepted(logdrift, 2 * RECORDS);
  expect(await taken(logdrift)).toMatchObject({ grpc: RECORDS, http: RECORDS, refused: 0, failed: 0 });
});

test.for([
  { what: 'token', credentials: bearer('a-wrong-token') },
  { what: 'password', credentials: basic('shipper', 'another one') },
])('a Collector with a wrong $what is told so and does not try again', async ({ credentials }) => {
  await using folder = await temporaryFolder();
  await using logdrift = await startGuarded(folder, credentials);
  await using collector = await sendBoth(folder, logdrift, credentials);
  const told = (...words: RegExp[]): boolean => words.every((word) => word.test(collector.log()));
  await until('both were refused', () => told(/Unauthenticated/, /401/, /Dropping data/));
  expect(await taken(logdrift)).toMatchObject({ grpc: 0, http: 0 });
});

test('a Collector with a certificate of another authority does not get in', async () => {
  await using folder = await temporaryFolder();
  const credentials = bearer('the-right-token');
  await using logdrift = await startGuarded(folder, credentials);
  await using collector = await sendBoth(folder, logdrift, credentials, 'stranger');
  const failed = (exporter: string): boolean =>
    new RegExp(`"${exporter}".*(certificate|tls:|EOF|reset|connection)`, 'i').test(collector.log());
  await until('both failed', () => failed('otlp_grpc') && failed('otlp_http'));
  expect(await taken(logdrift)).toMatchObject({ grpc: 0, http: 0 });
});
