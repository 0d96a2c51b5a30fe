/** What the receivers tell, as metrics and log lines. */
import type { ObservedRequest, Oddity } from '../receive/receiver.ts';
import type { Instruments, RequestOutcome } from './instruments.ts';
import type { Log } from './log.ts';

const KNOWN_ENCODINGS = new Set(['snappy', 'x-snappy-framed', 'lz4', 'br', 'zlib', 'compress']);
const RETRYABLE = new Set(['UNAVAILABLE', 'CANCELLED', 'ABORTED', 'DEADLINE_EXCEEDED', '429', '499', '503']);

export function requestObserver({ receiver }: Instruments): (request: ObservedRequest) => void {
  return ({ transport, code, acceptedRecords, refusedRecords, failedRecords }) => {
    receiver.requests.add(1, { transport, outcome: outcomeOf(code), code });
    if (acceptedRecords > 0) receiver.acceptedRecords.add(acceptedRecords, { transport });
    if (refusedRecords > 0) receiver.refusedRecords.add(refusedRecords, { transport });
    if (failedRecords > 0) receiver.failedRecords.add(failedRecords, { transport });
  };
}

function outcomeOf(code: string): RequestOutcome {
  if (code === 'OK' || code === '200') return 'success';
  return RETRYABLE.has(code) ? 'refused' : 'failure';
}

export function oddityObserver({ receiver }: Instruments, log: Log): (oddity: Oddity) => void {
  return (oddity) => {
    switch (oddity.kind) {
      case 'no_records':
        return log.warnLimited(
          `no-records ${oddity.transport}`,
          'A request held no log record although it was not empty',
          {
            transport: oddity.transport,
            unknown_keys: oddity.keys.join(', ') || 'none',
          },
        );
      case 'strindex':
        return log.warnOnce(
          'strindex',
          'A sender uses string-table references (strindex), which logs cannot have: taken as absent',
          {
            transport: oddity.transport,
          },
        );
      case 'enum_name':
        return log.warnOnce('enum-name', 'A sender writes enums by name, which OTLP/JSON forbids: taken all the same');
      case 'unsupported_encoding': {
        const { transport } = oddity;
        const encoding = KNOWN_ENCODINGS.has(oddity.encoding) ? oddity.encoding : 'other';
        receiver.unsupportedEncodings.add(1, { transport, encoding });
        return log.warnOnce(
          `encoding ${transport} ${encoding}`,
          'A sender compresses in a way that is not read, so it loses its records; gzip, deflate and zstd are',
          { transport, encoding: oddity.encoding.slice(0, 40) },
        );
      }
      case 'connection_limit':
        return log.warnLimited(`connections ${oddity.transport}`, 'Too many connections: new ones are closed', {
          transport: oddity.transport,
          max_connections: oddity.limit,
        });
      case 'tls_handshake':
        return log.warnLimited(`tls ${oddity.transport}`, 'A TLS handshake failed', {
          transport: oddity.transport,
          reason: oddity.reason,
        });
      case 'file_changed': {
        const files = oddity.files.join(', ');
        if (oddity.problem === null) return log.info('Changed files are used from now on', { files });
        return log.warn('Changed files cannot be used, the old content stays', { files, problem: oddity.problem });
      }
    }
  };
}
