import { copyFile, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectPlain, type AddressInfo } from 'node:net';
import { connect as connectTls, createServer as createTlsServer, type ConnectionOptions } from 'node:tls';
import { once } from 'node:events';
import { credentials, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openAuthenticator } from '../../src/receive/auth.ts';
import { trackConnections } from '../../src/receive/connections.ts';
import { readTls, type TlsFiles } from '../../src/receive/tls.ts';
import { encodeRequest, requestOf, Status } from './oracle.ts';
import { grpcReceiver, GrpcSender, httpReceiver, HttpSender, JSON_TYPE } from './senders.ts';

const REQUEST = encodeRequest(requestOf([{ body: { stringValue: 'hello' } }]));
const CERTIFICATES = join(import.meta.dirname, '../testdata/tls');
const pem = (name: string): Promise<Buffer> => readFile(join(CERTIFICATES, name));
const ca = await pem('ca.crt');
const client = { ca, cert: await pem('client.crt'), key: await pem('client.key') };
const stranger = { ca, cert: await pem('stranger.crt'), key: await pem('stranger.key') };

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'logdrift-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const server: TlsFiles = {
  certFile: join(CERTIFICATES, 'server.crt'),
  keyFile: join(CERTIFICATES, 'server.key'),
  clientCaFile: null,
  minVersion: '1.2',
  reloadIntervalMs: 20,
};
const mutual: TlsFiles = { ...server, clientCaFile: join(CERTIFICATES, 'ca.crt') };
const channel = ({ ca, cert, key }: { ca: Buffer; cert?: Buffer; key?: Buffer }) =>
  credentials.createSsl(ca, key ?? null, cert ?? null);

/** In one piece: whoever reads a file while it is written finds it empty. */
async function replaceFile(path: string, content: string | Buffer): Promise<void> {
  await writeFile(`${path}.new`, content);
  await rename(`${path}.new`, path);
}

/** Shakes hands and returns what the server showed. */
async function handshake(port: number, options: ConnectionOptions = {}) {
  const socket = connectTls({ host: '127.0.0.1', port, ca, servername: 'localhost', ...options });
  try {
    await once(socket, 'secureConnect');
    return { protocol: socket.getProtocol(), serial: socket.getPeerCertificate().serialNumber };
  } finally {
    socket.destroy();
  }
}

describe('TLS', () => {
  test('records arrive over both transports; plain text does not get through', async () => {
    await using grpc = await grpcReceiver({ tls: server });
    await using http = await httpReceiver({ tls: server });
    using sender = new GrpcSender(grpc.port, {}, channel({ ca }));
    await using poster = new HttpSender(http.port, { ca });
    expect((await sender.send(REQUEST)).code).toBe(status.OK);
    expect((await poster.send(REQUEST)).status).toBe(200);
    expect([grpc.target.committed.length, http.target.committed.length]).toEqual([1, 1]);
    await using plain = new HttpSender(http.port);
    await expect(plain.send(REQUEST)).rejects.toThrow();
  });

  test('with client_ca_file only clients with a certificate of that CA get through', async () => {
    await using grpc = await grpcReceiver({ tls: mutual });
    await using http = await httpReceiver({ tls: mutual });
    using sender = new GrpcSender(grpc.port, {}, channel(client));
    await using poster = new HttpSender(http.port, client);
    expect((await sender.send(REQUEST)).code).toBe(status.OK);
    expect((await poster.send(REQUEST)).status).toBe(200);
    for (const wrong of [{ ca }, stranger]) {
      using refused = new GrpcSender(grpc.port, {}, channel(wrong));
      expect((await refused.send(REQUEST)).code).toBe(status.UNAVAILABLE);
      await using rejected = new HttpSender(http.port, wrong);
      await expect(rejected.send(REQUEST)).rejects.toThrow();
    }
    expect([grpc.target.committed.length, http.target.committed.length]).toEqual([1, 1]);
    await expect.poll(() => http.oddities).toContainEqual(expect.objectContaining({ kind: 'tls_handshake' }));
  });

  test.each(['grpc', 'http'] as const)('%s: min_version refuses older handshakes', async (transport) => {
    const open = { grpc: grpcReceiver, http: httpReceiver }[transport];
    await using strict = await open({ tls: { ...server, minVersion: '1.3' } });
    await expect(handshake(strict.port, { maxVersion: 'TLSv1.2' })).rejects.toThrow();
    expect(await handshake(strict.port)).toMatchObject({ protocol: 'TLSv1.3' });
    await using usual = await open({ tls: server });
    expect(await handshake(usual.port, { maxVersion: 'TLSv1.2' })).toMatchObject({ protocol: 'TLSv1.2' });
  });

  test.each(['grpc', 'http'] as const)(
    '%s: changed files are used for new connections, half-written ones are not',
    async (transport) => {
      const open = { grpc: grpcReceiver, http: httpReceiver }[transport];
      const files = {
        ...server,
        certFile: join(directory, `${transport}.crt`),
        keyFile: join(directory, `${transport}.key`),
      };
      await copyFile(server.certFile, files.certFile);
      await copyFile(server.keyFile, files.keyFile);
      await using receiver = await open({ tls: files });
      const old = await handshake(receiver.port);
      await replaceFile(files.certFile, await pem('server-new.crt'));
      await expect
        .poll(() => receiver.oddities)
        .toContainEqual(
          expect.objectContaining({ kind: 'file_changed', problem: expect.stringContaining(files.certFile) as string }),
        );
      expect(await handshake(receiver.port)).toEqual(old);
      await replaceFile(files.keyFile, await pem('server-new.key'));
      await expect
        .poll(() => receiver.oddities)
        .toContainEqual(expect.objectContaining({ kind: 'file_changed', problem: null }));
      expect((await handshake(receiver.port)).serial).not.toBe(old.serial);
    },
  );

  test('a client whose handshake ends after we have stopped listening is told to go, and holds nobody up', async () => {
    const receiver = await grpcReceiver({ tls: server });
    const raw = connectPlain(receiver.port, '127.0.0.1');
    await once(raw, 'connect');
    await expect.poll(() => receiver.connections).toBe(1);
    const closed = receiver.close(60_000);
    const socket = connectTls({ socket: raw, ca, servername: 'localhost', ALPNProtocols: ['h2'] });
    socket.resume();
    await closed;
    socket.destroy();
  });

  test.each(['grpc', 'http'] as const)(
    '%s: a client that never shakes hands does not hold up the end',
    async (transport) => {
      const receiver = await { grpc: grpcReceiver, http: httpReceiver }[transport]({ tls: server });
      const raw = connectPlain(receiver.port, '127.0.0.1');
      raw.on('error', () => {});
      await expect.poll(() => receiver.connections).toBe(1);
      await receiver.close(60_000);
      // Cut, and not after the time that a handshake may take.
      expect(receiver.oddities).not.toContainEqual(expect.objectContaining({ reason: 'ERR_TLS_HANDSHAKE_TIMEOUT' }));
    },
  );

  test('whoever has shaken hands is not cut with those who have not', async () => {
    const listener = createTlsServer(readTls(server, 'tls'), (socket) => socket.pipe(socket));
    const connections = trackConnections(listener, 10, () => {});
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const { port } = listener.address() as AddressInfo;
    const raw = connectPlain(port, '127.0.0.1');
    raw.on('error', () => {});
    const secure = connectTls({ host: '127.0.0.1', port, ca, servername: 'localhost' });
    await once(secure, 'secureConnect');
    secure.write('before');
    await once(secure, 'data');
    connections.cutHandshakes();
    await once(raw, 'close');
    secure.write('behind');
    expect(String((await once(secure, 'data'))[0])).toBe('behind');
    connections.cut();
    listener.close();
    await once(listener, 'close');
  });

  test('files that cannot be used are an error at the start that names key and file', async () => {
    await expect(httpReceiver({ tls: { ...server, clientCaFile: server.keyFile } })).rejects.toMatchObject({
      code: 'LOGDRIFT_TLS_INVALID',
      message: expect.stringMatching(
        /^receivers\.otlp\.protocols\.http\.tls\.client_ca_file: .*server\.key holds no PEM certificate: /,
      ) as string,
    });
    await expect(httpReceiver({ tls: { ...server, keyFile: '/nowhere.key' } })).rejects.toMatchObject({
      code: 'LOGDRIFT_TLS_INVALID',
      message: expect.stringMatching(
        /^receivers\.otlp\.protocols\.http\.tls\.key_file: cannot read \/nowhere\.key/,
      ) as string,
    });
    await expect(grpcReceiver({ tls: { ...server, keyFile: join(CERTIFICATES, 'client.key') } })).rejects.toMatchObject(
      {
        code: 'LOGDRIFT_TLS_INVALID',
        message: expect.stringMatching(
          /^receivers\.otlp\.protocols\.grpc\.tls: .* are not a PEM certificate and its key/,
        ) as string,
      },
    );
  });
});

describe('authentication', () => {
  const credentialsFile = async (name: string, text: string): Promise<string> => {
    const file = join(directory, name);
    await writeFile(file, text);
    return file;
  };
  const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

  test('bearer: a token of the file gets through, everything else is 401 / UNAUTHENTICATED with a Status', async () => {
    const file = await credentialsFile('tokens', '# senders\nfirst-token\n\nsecond-token\n');
    using auth = openAuthenticator({ kind: 'bearer', file, configKey: 'k' });
    await using grpc = await grpcReceiver({ auth });
    await using http = await httpReceiver({ auth });
    using sender = new GrpcSender(grpc.port);
    await using poster = new HttpSender(http.port);
    for (const authorization of ['Bearer first-token', 'bearer second-token']) {
      expect((await sender.send(REQUEST, { authorization })).code).toBe(status.OK);
      expect((await poster.send(REQUEST, { authorization })).status).toBe(200);
    }
    for (const wrong of [
      {},
      { authorization: 'Bearer first' },
      { authorization: 'first-token' },
      { authorization: basic('a:b') },
    ]) {
      const headers = wrong as Record<string, string>;
      expect((await sender.send(REQUEST, headers)).code).toBe(status.UNAUTHENTICATED);
      const answer = await poster.send(REQUEST, headers);
      expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, 'Bearer realm="logdrift"']);
      expect(Status.toObject(Status.decode(answer.body))).toMatchObject({ code: 16 });
      const json = await poster.send('{}', { ...headers, 'content-type': JSON_TYPE });
      expect([json.status, JSON.parse(json.body.toString())]).toMatchObject([401, { code: 16 }]);
    }
    expect([grpc.target.committed.length, http.target.committed.length]).toEqual([2, 2]);
    await expect.poll(() => grpc.observed.filter(({ code }) => code === 'UNAUTHENTICATED').length).toBe(4);
  });

  test('basic: plain and {SHA} passwords, also with a colon in them', async () => {
    const sha = createHash('sha1').update('geheim').digest('base64');
    const file = await credentialsFile('htpasswd', `alice:pass:word\nbob:{SHA}${sha}\n`);
    using auth = openAuthenticator({ kind: 'basic', file, configKey: 'k' });
    const passes = (text: string): boolean => {
      try {
        auth.check(basic(text));
        return true;
      } catch {
        return false;
      }
    };
    expect(['alice:pass:word', 'bob:geheim'].map(passes)).toEqual([true, true]);
    expect(['alice:pass', 'bob:', `bob:{SHA}${sha}`, 'geheim', ':', ''].map(passes)).toEqual(Array(6).fill(false));
  });

  test('a changed file is used, an unusable one is not', async () => {
    const file = await credentialsFile('changing', 'old\n');
    const told: (string | null)[] = [];
    using auth = openAuthenticator({
      kind: 'bearer',
      file,
      configKey: 'k',
      reloadIntervalMs: 20,
      onOddity: (oddity) => told.push(oddity.kind === 'file_changed' ? oddity.problem : null),
    });
    await replaceFile(file, 'new-token\n');
    await expect.poll(() => told).toEqual([null]);
    expect(() => auth.check('Bearer old')).toThrow(/wrong credentials/);
    auth.check('Bearer new-token');
    await replaceFile(file, '');
    await expect.poll(() => told.length).toBe(2);
    expect(told[1]).toMatch(/holds 0 lines of credentials/);
    auth.check('Bearer new-token');
  });

  test.each([
    ['bearer', 'two words\n', /one token without spaces/],
    ['basic', 'alice\n', /user:password/],
    ['basic', 'alice:$2y$05$abc\n', /bcrypt/],
  ] as const)('%s: %j is refused at the start', async (kind, text, problem) => {
    const file = await credentialsFile('bad', text);
    expect(() => openAuthenticator({ kind, file, configKey: 'extensions.x' })).toThrow(problem);
    expect(() => openAuthenticator({ kind, file: '/nowhere', configKey: 'extensions.x' })).toThrow(
      /^extensions\.x: cannot read \/nowhere/,
    );
  });
});
