/** TLS and mutual TLS of a receiver: certificate files, read at the start and again when they change. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureVersion, type Server, type TlsOptions } from 'node:tls';
import type { Oddity, Transport } from './receiver.ts';
import { watchFiles } from './watched-files.ts';

/** A client that opens a connection and does not shake hands. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

/** `receivers.otlp.protocols.{grpc,http}.tls` */
export interface TlsFiles {
  certFile: string;
  keyFile: string;
  /** Clients must show a certificate signed by one of these; null = clients are not asked. */
  clientCaFile: string | null;
  minVersion: '1.2' | '1.3';
  reloadIntervalMs: number;
}

export class TlsError extends Error {
  override readonly name = 'TlsError';
  readonly code = 'LOGDRIFT_TLS_INVALID';
}

/** @throws {TlsError} when a file cannot be read, or key and certificate are none or do not belong together */
export function readTls(files: TlsFiles, configKey: string): TlsOptions {
  const options = {
    cert: read(files.certFile, `${configKey}.cert_file`),
    key: read(files.keyFile, `${configKey}.key_file`),
    minVersion: `TLSv${files.minVersion}` as SecureVersion,
    ...(files.clientCaFile === null ? {} : { ca: readAuthorities(files.clientCaFile, `${configKey}.client_ca_file`) }),
  };
  try {
    createSecureContext(options);
  } catch (cause) {
    throw new TlsError(
      `${configKey}: ${files.certFile} and ${files.keyFile} are not a PEM certificate and its key: ${(cause as Error).message}`,
      { cause },
    );
  }
  const asksClients = files.clientCaFile !== null;
  return {
    ...options,
    requestCert: asksClients,
    rejectUnauthorized: asksClients,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
  };
}

/** A file without a certificate would be taken, and every client refused. */
function readAuthorities(file: string, configKey: string): Buffer {
  const pem = read(file, configKey);
  try {
    new X509Certificate(pem);
    return pem;
  } catch (cause) {
    throw new TlsError(`${configKey}: ${file} holds no PEM certificate: ${(cause as Error).message}`, { cause });
  }
}

function read(file: string, configKey: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new TlsError(`${configKey}: cannot read ${file}: ${(cause as Error).message}`, { cause });
  }
}

export interface KeepTlsOptions {
  files: TlsFiles;
  configKey: string;
  transport: Transport;
  onOddity: ((oddity: Oddity) => void) | undefined;
}

/** New connections get the new certificate once its files changed; a pair that does not fit yet (half written) leaves the old one. */
export function keepTlsFresh(server: Server, { files, configKey, transport, onOddity }: KeepTlsOptions): Disposable {
  server.on('tlsClientError', (error: NodeJS.ErrnoException) => {
    onOddity?.({ kind: 'tls_handshake', transport, reason: error.code ?? error.message });
  });
  const paths = [files.certFile, files.keyFile, ...(files.clientCaFile === null ? [] : [files.clientCaFile])];
  return watchFiles(paths, files.reloadIntervalMs, () => {
    let problem: string | null = null;
    try {
      server.setSecureContext(readTls(files, configKey));
    } catch (error) {
      problem = (error as Error).message;
    }
    onOddity?.({ kind: 'file_changed', files: paths, problem });
  });
}
