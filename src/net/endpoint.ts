import { isIP, isIPv6 } from 'node:net';

/** Where to listen or connect. `host` without brackets; port 0 = any free one. */
export interface HostPort {
  host: string;
  port: number;
}

/**
 * Reads `host:port`, IPv6 in brackets. `example`: one that would do, for the message.
 * @throws Error whose message fits the configuration's problem lines: `what is wrong – what to do`
 */
export function parseEndpoint(text: string, example = '127.0.0.1:4317'): HostPort {
  const write = `write for example ${example}`;
  if (text.includes('://')) throw new Error(`must be host:port without a scheme – ${write}`);
  if (isIPv6(text)) throw new Error(`has no port, or its IPv6 address has no brackets – write for example [::1]:4317`);
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d+)$/.exec(text);
  if (match === null) {
    if (/^[^:]*:[^:]*$/.test(text)) throw new Error(`has no valid port number – ${write}`);
    if (text.includes(':')) throw new Error('must be host:port – IPv6 addresses need brackets, for example [::1]:4317');
    throw new Error(`has no port – ${write}`);
  }
  const [, bracketed, plain, digits] = match;
  const host = bracketed ?? plain!;
  const port = Number(digits);
  if (bracketed !== undefined && !isIPv6(bracketed)) {
    throw new Error('has no IPv6 address between the brackets – write for example [::1]:4317');
  }
  if (port > 65_535) throw new Error(`has a port above 65535 – ${write}`);
  if (host === '')
    throw new Error(
      `names no host – write 0.0.0.0:${port} for every interface, 127.0.0.1:${port} for this machine only`,
    );
  if (bracketed === undefined && !isHostName(host)) throw new Error(`has no valid host – ${write}`);
  return { host, port };
}

/** The inverse of {@link parseEndpoint}. */
export function formatEndpoint({ host, port }: HostPort): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Only this machine can reach it. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase();
  return name === 'localhost' || name === '::1' || /^(::ffff:)?127\.\d+\.\d+\.\d+$/.test(name);
}

/** Two listeners on these endpoints cannot both start. */
export function collide(a: HostPort, b: HostPort): boolean {
  if (a.port === 0 || a.port !== b.port) return false;
  return (
    a.host === b.host || isEverything(a.host) || isEverything(b.host) || (isLoopback(a.host) && isLoopback(b.host))
  );
}

/** Who connects to `destination` from this machine arrives at a listener on `listener`. */
export function reaches(destination: HostPort, listener: HostPort): boolean {
  if (destination.port !== listener.port) return false;
  const isHere = isLoopback(destination.host) || isEverything(destination.host);
  return isHere
    ? isLoopback(listener.host) || isEverything(listener.host)
    : destination.host.toLowerCase() === listener.host.toLowerCase();
}

/** A listener on every address of the machine. */
export function isEverything(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

function isHostName(host: string): boolean {
  if (isIP(host) !== 0) return true;
  if (/^[\d.]+$/.test(host)) return false;
  return /^(?!-)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?$/.test(host);
}
