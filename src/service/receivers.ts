import type { AuthenticatorName, Config } from '../config/config.ts';
import { openAuthenticator, type Authenticator } from '../receive/auth.ts';
import { Budget } from '../receive/budget.ts';
import { openGrpcReceiver } from '../receive/grpc.ts';
import { openHttpReceiver } from '../receive/http.ts';
import { createMemoryLimiter } from '../receive/memory-limiter.ts';
import type { ObservedRequest, Oddity, Receiver } from '../receive/receiver.ts';
import type { ExportTarget } from '../receive/record.ts';
import type { Instruments } from '../telemetry/instruments.ts';
import type { Log } from '../telemetry/log.ts';
import { oddityObserver, requestObserver } from '../telemetry/receiver-events.ts';

/** More of a record does not travel to its shard. */
const MAX_WAITING_BYTES = 8192;

/** Both doors; null where one is switched off. */
export interface Receivers extends AsyncDisposable {
  readonly grpc: Receiver | null;
  readonly http: Receiver | null;
  /** Of requests under way and, estimated, of records that wait for their shard. */
  readonly inflightBytes: number;
  /** Stops accepting; requests in flight may end within `graceMs`. */
  close(graceMs: number): Promise<void>;
}

export interface ReceiversOptions {
  target: ExportTarget;
  /** Records taken in and not yet mined. */
  waitingRecords(): number;
  instruments: Instruments;
  log: Log;
}

/** One byte budget and one set of credentials for both transports. */
export async function openReceivers(
  config: Config,
  { target, waitingRecords, instruments, log }: ReceiversOptions,
): Promise<Receivers> {
  await using parts = new AsyncDisposableStack();
  const recordSize = meanSize();
  const observeRequest = requestObserver(instruments);
  const onOddity = oddityObserver(instruments, log);
  const budget = new Budget({
    limitBytes: config.receivers.otlp.requestLimitBytes,
    waitingBytes: () => waitingRecords() * recordSize.mean,
    memoryShortage: createMemoryLimiter(config.processors.memoryLimiter),
  });
  const receiving = {
    budget,
    target,
    observe: (request: ObservedRequest) => {
      const { bytes, acceptedRecords } = request;
      if (acceptedRecords > 0) recordSize.add(Math.min(bytes / acceptedRecords, MAX_WAITING_BYTES));
      observeRequest(request);
    },
    onFault: (error: unknown) =>
      log.error('A request failed by a fault of ours', {
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      }),
    onOddity,
  };
  const authenticators = new Map<AuthenticatorName, Authenticator>();
  const authOf = (name: AuthenticatorName | null): Authenticator | null => {
    if (name === null) return null;
    const auth = authenticators.get(name) ?? parts.use(openConfiguredAuth(config, name, onOddity));
    authenticators.set(name, auth);
    return auth;
  };
  const { protocols } = config.receivers.otlp;
  const grpc =
    protocols.grpc === null
      ? null
      : parts.use(
          await openGrpcReceiver({ ...protocols.grpc, ...receiving, auth: authOf(protocols.grpc.authenticator) }),
        );
  const http =
    protocols.http === null
      ? null
      : parts.use(
          await openHttpReceiver({ ...protocols.http, ...receiving, auth: authOf(protocols.http.authenticator) }),
        );
  const opened = parts.move();
  return {
    grpc,
    http,
    get inflightBytes() {
      return budget.inflightBytes;
    },
    close: async (graceMs) => void (await Promise.all([grpc?.close(graceMs), http?.close(graceMs)])),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

function openConfiguredAuth(
  { extensions }: Config,
  name: AuthenticatorName,
  onOddity: (oddity: Oddity) => void,
): Authenticator {
  if (name === 'bearertokenauth') {
    const configKey = 'extensions.bearertokenauth.filename';
    return openAuthenticator({ kind: 'bearer', file: extensions.bearertokenauth!.filename, configKey, onOddity });
  }
  const configKey = 'extensions.basicauth.htpasswd.file';
  return openAuthenticator({ kind: 'basic', file: extensions.basicauth!.htpasswdFile, configKey, onOddity });
}

/** Bytes a record takes in recent requests: what is waiting is counted in records. */
function meanSize(): { readonly mean: number; add(bytes: number): void } {
  let mean = 0;
  return {
    get mean() {
      return mean;
    },
    add(bytes) {
      mean = mean === 0 ? bytes : mean + (bytes - mean) / 32;
    },
  };
}
