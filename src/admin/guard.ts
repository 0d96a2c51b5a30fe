/** Who may ask: the Host header (DNS rebinding) and the bearer token. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { isLoopback, parseEndpoint } from '../net/endpoint.ts';

export class AdminError extends Error {
  override readonly name = 'AdminError';
  readonly code: 'LOGDRIFT_ADMIN_TOKEN';
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.code = 'LOGDRIFT_ADMIN_TOKEN';
  }
}

/**
 * A page elsewhere can make its own name resolve to 127.0.0.1 and then read what it likes from here, except that the browser still sends that name.
 * So only loopback names and the configured host are answered. Listening on all interfaces the host's names are unknown, but there a token is compulsory.
 */
export function hostCheck(endpoint: string): (hostHeader: string | undefined) => boolean {
  const configured = parseEndpoint(endpoint).host.toLowerCase();
  if (configured === '0.0.0.0' || configured === '::') return () => true;
  return (hostHeader) => {
    const name = hostName(hostHeader);
    return name !== null && (isLoopback(name) || name === configured);
  };
}

/** Without port and brackets, lower case; null when it is none. */
function hostName(hostHeader: string | undefined): string | null {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+))(?::\d+)?$/i.exec(hostHeader ?? '');
  const name = match?.[1] ?? match?.[2];
  if (name === undefined || (match![1] !== undefined && !isIPv6(name))) return null;
  return name.toLowerCase();
}

/**
 * Reads `admin.token_file`. No file: everybody who reaches the port may ask, which is only allowed on loopback.
 * @throws AdminError when the file is missing, empty or needed
 */
export function tokenCheck(endpoint: string, tokenFile: string | null): (authorization: string | undefined) => boolean {
  if (tokenFile === null) {
    if (isLoopback(parseEndpoint(endpoint).host)) return () => true;
    throw new AdminError(
      `admin.endpoint: ${endpoint} is reachable from elsewhere and needs a token: set admin.token_file, or listen on 127.0.0.1`,
    );
  }
  const expected = digest(readToken(tokenFile));
  return (authorization) => {
    const given = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
    // Digests have one length, so that the comparison tells nothing of the token's.
    return given !== undefined && timingSafeEqual(digest(given), expected);
  };
}

/** @throws AdminError that names the file */
export function readToken(tokenFile: string): string {
  let token: string;
  try {
    token = readFileSync(tokenFile, 'utf8').trim();
  } catch (cause) {
    throw new AdminError(`admin.token_file: cannot read ${tokenFile}: ${(cause as Error).message}`, cause);
  }
  if (token === '' || /\s/.test(token)) {
    throw new AdminError(`admin.token_file: ${tokenFile} must hold one token without spaces`);
  }
  return token;
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
