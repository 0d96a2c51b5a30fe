/** Who may send: bearer tokens or basic auth from a file (the Collector's bearertokenauth and basicauth extensions). */
import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Oddity } from './receiver.ts';
import { ReceiveError } from './status.ts';
import { watchFiles } from './watched-files.ts';

const RELOAD_INTERVAL_MS = 10_000;
const MAX_CREDENTIALS = 1000;

export interface AuthOptions {
  /** `bearer`: one token a line. `basic`: `user:password` or `user:{SHA}…` a line (htpasswd). `#` begins a comment. */
  kind: 'bearer' | 'basic';
  file: string;
  configKey: string;
  reloadIntervalMs?: number;
  onOddity?: ((oddity: Oddity) => void) | undefined;
}

export class AuthError extends Error {
  override readonly name = 'AuthError';
  readonly code = 'LOGDRIFT_AUTH_INVALID';
}

export interface Authenticator extends Disposable {
  /** What `WWW-Authenticate` of a 401 says. */
  readonly challenge: string;
  /** @throws {ReceiveError} `unauthenticated` */
  check(authorization: string | undefined): void;
}

/** True for the credentials behind the scheme. */
type Check = (given: string) => boolean;

/** @throws {AuthError} when the file cannot be read or holds nothing usable */
export function openAuthenticator(options: AuthOptions): Authenticator {
  const { kind, file, reloadIntervalMs = RELOAD_INTERVAL_MS, onOddity } = options;
  const scheme = kind === 'bearer' ? 'Bearer' : 'Basic';
  let isKnown = read(options);
  const watching = watchFiles([file], reloadIntervalMs, () => {
    let problem: string | null = null;
    try {
      isKnown = read(options);
    } catch (error) {
      problem = (error as Error).message;
    }
    onOddity?.({ kind: 'file_changed', files: [file], problem });
  });
  return {
    challenge: `${scheme} realm="logdrift"`,
    check(authorization) {
      const [, name, given] = /^(\w+) +(\S+) *$/.exec(authorization ?? '') ?? [];
      if (name?.toLowerCase() === scheme.toLowerCase() && isKnown(given!)) return;
      const problem = authorization === undefined ? `needs an authorization header (${scheme})` : 'wrong credentials';
      throw new ReceiveError('unauthenticated', problem);
    },
    [Symbol.dispose]: () => watching[Symbol.dispose](),
  };
}

function read({ kind, file, configKey }: AuthOptions): Check {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new AuthError(`${configKey}: cannot read ${file}: ${(cause as Error).message}`, { cause });
  }
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  if (lines.length === 0 || lines.length > MAX_CREDENTIALS) {
    throw new AuthError(
      `${configKey}: ${file} holds ${lines.length} lines of credentials, 1 to ${MAX_CREDENTIALS} are possible`,
    );
  }
  return kind === 'bearer' ? bearer(lines, file, configKey) : basic(lines, file, configKey);
}

function bearer(tokens: string[], file: string, configKey: string): Check {
  if (tokens.some((token) => /\s/.test(token))) {
    throw new AuthError(`${configKey}: ${file} must hold one token without spaces a line`);
  }
  return oneOf(tokens);
}

function basic(lines: string[], file: string, configKey: string): Check {
  const plain: string[] = [];
  const hashed: string[] = [];
  for (const line of lines) {
    const [, user, password] = /^([^:]+):(.+)$/.exec(line) ?? [];
    if (user === undefined || password!.startsWith('$')) {
      throw new AuthError(
        `${configKey}: ${file} must hold user:password or user:{SHA}… a line; bcrypt and MD5 hashes ($…) are not supported`,
      );
    }
    (password!.startsWith('{SHA}') ? hashed : plain).push(line);
  }
  const isPlain = oneOf(plain);
  const isHashed = oneOf(hashed);
  return (given) => {
    const credentials = Buffer.from(given, 'base64').toString();
    const colon = credentials.indexOf(':');
    const sha = createHash('sha1')
      .update(credentials.slice(colon + 1))
      .digest('base64');
    const matchesPlain = isPlain(credentials);
    return isHashed(`${credentials.slice(0, Math.max(colon, 0))}:{SHA}${sha}`) || matchesPlain;
  };
}

/** Digests have one length and all are compared, so the time says nothing of the secrets. */
function oneOf(secrets: string[]): Check {
  const digests = secrets.map(digest);
  return (given) => {
    const wanted = digest(given);
    let found = false;
    for (const known of digests) found = timingSafeEqual(known, wanted) || found;
    return found;
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
