import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials, status } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { encodeRequest } from '../receive/oracle.ts';
import { GrpcSender, HttpSender } from '../receive/senders.ts';
import { fileLogs, startTestService } from './harness.ts';

const CERTIFICATES = join(import.meta.dirname, '../testdata/tls');
const REQUEST = encodeRequest({ resourceLogs: [fileLogs('nginx', [{ text: 'hello' }])] });

test('TLS, client certificates and bearer tokens are set up by the keys of the Collector', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'logdrift-'));
  try {
    const filename = join(directory, 'tokens');
    await writeFile(filename, 'a-token\n');
    const protocol = (name: string) => ({
      [`receivers.otlp.protocols.${name}.tls.cert_file`]: join(CERTIFICATES, 'server.crt'),
      [`receivers.otlp.protocols.${name}.tls.key_file`]: join(CERTIFICATES, 'server.key'),
      [`receivers.otlp.protocols.${name}.tls.client_ca_file`]: join(CERTIFICATES, 'ca.crt'),
      [`receivers.otlp.protocols.${name}.auth.authenticator`]: 'bearertokenauth',
    });
    await using service = await startTestService({
      ...protocol('grpc'),
      ...protocol('http'),
      'extensions.bearertokenauth.filename': filename,
    });
    const [ca, cert, key] = await Promise.all(
      ['ca.crt', 'client.crt', 'client.key'].map((name) => readFile(join(CERTIFICATES, name))),
    );
    using sender = new GrpcSender(service.ports.grpc, {}, credentials.createSsl(ca!, key!, cert!));
    await using poster = new HttpSender(service.ports.http, { ca: ca!, cert: cert!, key: key! });
    const authorization = 'Bearer a-token';
    expect((await sender.send(REQUEST, { authorization })).code).toBe(status.OK);
    expect((await poster.send(REQUEST, { authorization })).status).toBe(200);
    expect((await sender.send(REQUEST)).code).toBe(status.UNAUTHENTICATED);
    expect((await poster.send(REQUEST)).status).toBe(401);
    expect(await service.metric('logdrift_receiver_accepted_log_records_total')).toBe(2);
    expect(await service.metric('logdrift_receiver_requests_total', { code: '401', outcome: 'failure' })).toBe(1);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

test('a certificate that cannot be read stops the start with its key and file', async () => {
  await expect(
    startTestService({
      'receivers.otlp.protocols.http.tls.cert_file': '/nowhere.crt',
      'receivers.otlp.protocols.http.tls.key_file': '/nowhere.key',
    }),
  ).rejects.toMatchObject({
    code: 'LOGDRIFT_TLS_INVALID',
    message: expect.stringMatching(
      /^receivers\.otlp\.protocols\.http\.tls\.cert_file: cannot read \/nowhere\.crt/,
    ) as string,
  });
});
