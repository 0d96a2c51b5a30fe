import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { startServe, until } from '../service/harness.ts';
import { buildCollector, startCollector, temporaryFolder, type Collector, type Folder } from './collector.ts';
import { numbered, taken, untilAccepted, type Serve } from './counting.ts';

beforeAll(async () => {
  await buildCollector();
}, 3_000_000);

const CERTIFICATES = join(import.meta.dirname, '../testdata/tls');
const pem = (name: string): string => join(CERTIFICATES, name);
/** One request for each transport: of equal log lines the Collector writes only the first ten. */
const RECORDS = 50;

/** Mutual TLS and a bearer token on both transports. */
async function startGuarded(folder: Folder): Promise<Serve> {
  const tokens = join(folder.path, 'tokens');
  await writeFile(tokens, 'not-this-one\nthe-right-token\n', { mode: 0o600 });
  const guards = ['grpc', 'http'].flatMap((protocol) => {
    const keys = `receivers.otlp.protocols.${protocol}`;
    return [
      [`${keys}.tls.cert_file`, pem('server.crt')],
      [`${keys}.tls.key_file`, pem('server.key')],
      [`${keys}.tls.client_ca_file`, pem('ca.crt')],
      [`${keys}.auth.authenticator`, 'bearertokenauth'],
    ];
  });
  return startServe({ ...Object.fromEntries(guards), 'extensions.bearertokenauth.filename': tokens });
}

/** Sends a file's lines over both transports. */
async function sendBoth(folder: Folder, logdrift: Serve, token: string, client: string): Promise<Collector> {
  await writeFile(join(folder.path, 'orders.log'), numbered(0, RECORDS));
  const guarded = {
    tls: {
      ca_file: pem('ca.crt'),
      cert_file: pem(`${client}.crt`),
      key_file: pem(`${client}.key`),
      server_name_override: 'localhost',
    },
    auth: { authenticator: 'bearertokenauth' },
  };
  return startCollector(folder, {
    extensions: { bearertokenauth: { token } },
    receivers: { file_log: { include: [join(folder.path, 'orders.log')], start_at: 'beginning' } },
    exporters: {
      otlp_grpc: { endpoint: `127.0.0.1:${logdrift.ports.grpc}`, ...guarded },
      otlp_http: { endpoint: `https://127.0.0.1:${logdrift.ports.http}`, ...guarded },
    },
    service: {
      extensions: ['bearertokenauth'],
      pipelines: { logs: { receivers: ['file_log'], exporters: ['otlp_grpc', 'otlp_http'] } },
    },
  });
}

test('a Collector with a client certificate and a bearer token gets through over both transports', async () => {
  await using folder = await temporaryFolder();
  await using logdrift = await startGuarded(folder);
  await using _collector = await sendBoth(folder, logdrift, 'the-right-token', 'client');
  await untilAccepted(logdrift, 2 * RECORDS);
  expect(await taken(logdrift)).toMatchObject({ grpc: RECORDS, http: RECORDS, refused: 0, failed: 0 });
});

test('a Collector with a wrong token is told so and does not try again', async () => {
  await using folder = await temporaryFolder();
  await using logdrift = await startGuarded(folder);
  await using collector = await sendBoth(folder, logdrift, 'a-wrong-token', 'client');
  await until(
    'both were refused',
    () => /Unauthenticated/.test(collector.log()) && /401/.test(collector.log()),
    30_000,
  );
  expect(collector.log()).toContain('Dropping data');
  expect(await taken(logdrift)).toMatchObject({ grpc: 0, http: 0 });
});

test('a Collector with a certificate of another authority does not get in', async () => {
  await using folder = await temporaryFolder();
  await using logdrift = await startGuarded(folder);
  await using collector = await sendBoth(folder, logdrift, 'the-right-token', 'stranger');
  const failed = (exporter: string): boolean =>
    new RegExp(`"${exporter}".*(certificate|tls:|EOF|reset|connection)`, 'i').test(collector.log());
  await until('both failed', () => failed('otlp_grpc') && failed('otlp_http'), 30_000);
  expect(await taken(logdrift)).toMatchObject({ grpc: 0, http: 0 });
});
