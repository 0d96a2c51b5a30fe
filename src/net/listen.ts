/** Binding a server to a configured `host:port`, with an error that says which key to change. */
import type { AddressInfo, Server } from 'node:net';
import { formatEndpoint, parseEndpoint } from './endpoint.ts';

export class ListenError extends Error {
  override name = 'ListenError';
  readonly code: 'LOGDRIFT_PORT_IN_USE' | 'LOGDRIFT_LISTEN_FAILED';
  constructor(code: ListenError['code'], message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/** Who usually holds a port that we want. */
const USUAL_HOLDERS: Readonly<Record<number, string>> = {
  8888: 'an OpenTelemetry Collector serves its own metrics there by default',
  4317: 'an OpenTelemetry Collector or another OTLP receiver listens there by default',
  4318: 'an OpenTelemetry Collector or another OTLP receiver listens there by default',
};

/** What to do about the others, by Node's code. */
const ADVICE: Readonly<Record<string, string>> = {
  EADDRNOTAVAIL:
    'this machine has no such address: take one of its own, 0.0.0.0 for all of them, or 127.0.0.1 for itself',
  ENOTFOUND: 'the name cannot be resolved here: take an address of this machine, or 0.0.0.0 for all of them',
  EAI_AGAIN: 'the name cannot be resolved now: take an address of this machine, or 0.0.0.0 for all of them',
  EACCES: 'this user may not listen on a port that low: take one from 1024 on',
};

/** @throws ListenError `LOGDRIFT_PORT_IN_USE` or `LOGDRIFT_LISTEN_FAILED`; the message names the key and the `--set` that helps */
export async function listen(server: Server, endpoint: string, configKey: string): Promise<AddressInfo> {
  const { host, port } = parseEndpoint(endpoint);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host }, () => {
      server.off('error', reject);
      resolve();
    });
  }).catch((error: NodeJS.ErrnoException) => {
    throw listenError(error, endpoint, configKey);
  });
  return server.address() as AddressInfo;
}

export function listenError(error: NodeJS.ErrnoException, endpoint: string, configKey: string): ListenError {
  if (error.code === 'EADDRINUSE') {
    const { host, port } = parseEndpoint(endpoint);
    const holder = USUAL_HOLDERS[port] ?? 'perhaps another logdrift';
    const free = formatEndpoint({ host, port: port < 55_536 ? port + 10_000 : port - 10_000 });
    const message = `${configKey}: ${endpoint} is in use (${holder}); stop it, or take another port: --set ${configKey}=${free}`;
    return new ListenError('LOGDRIFT_PORT_IN_USE', message, error);
  }
  const advice = ADVICE[error.code ?? ''];
  const message = `${configKey}: cannot listen on ${endpoint} (${error.message})${advice === undefined ? '' : ` – ${advice}`}`;
  return new ListenError('LOGDRIFT_LISTEN_FAILED', message, error);
}
