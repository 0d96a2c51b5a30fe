import { expect, test } from 'vitest';
import { collide, formatEndpoint, isLoopback, parseEndpoint, reaches } from '../../src/net/endpoint.ts';

test.each([
  ['127.0.0.1:4317', '127.0.0.1', 4317],
  ['localhost:0', 'localhost', 0],
  ['[::1]:4317', '::1', 4317],
  ['[::]:65535', '::', 65_535],
  ['otel-collector.observability.svc:4318', 'otel-collector.observability.svc', 4318],
])('%s is a host and a port, and reads back', (text, host, port) => {
  expect(parseEndpoint(text)).toEqual({ host, port });
  expect(formatEndpoint({ host, port })).toBe(text);
});

test.each([
  ['localhost', /has no port/],
  ['localhost:', /no valid port number/],
  ['localhost:http', /no valid port number/],
  [':4317', /names no host – write 0\.0\.0\.0:4317/],
  ['::1', /has no port, or its IPv6 address has no brackets/],
  ['fe80::1:2:x', /IPv6 addresses need brackets/],
  ['[localhost]:4317', /no IPv6 address between the brackets/],
  ['http://localhost:4317', /without a scheme/],
  ['256.0.0.1:4317', /no valid host/],
  ['a b:4317', /no valid host/],
  ['localhost:65536', /port above 65535/],
])('%s is refused', (text, message) => {
  expect(() => parseEndpoint(text)).toThrow(message);
});

test('loopback is what other machines cannot reach', () => {
  expect(
    ['localhost', 'LOCALHOST', '127.0.0.1', '127.8.9.1', '::1', '::ffff:127.0.0.1'].filter(isLoopback),
  ).toHaveLength(6);
  expect(['0.0.0.0', '::', '10.0.0.1', '127.evil.example', 'localhost.example'].some(isLoopback)).toBe(false);
});

test('listeners collide on one port where their addresses overlap', () => {
  const at = parseEndpoint;
  expect(collide(at('0.0.0.0:1'), at('127.0.0.1:1'))).toBe(true);
  expect(collide(at('localhost:1'), at('127.0.0.1:1'))).toBe(true);
  expect(collide(at('10.0.0.1:1'), at('127.0.0.1:1'))).toBe(false);
  expect(collide(at('127.0.0.1:1'), at('127.0.0.1:2'))).toBe(false);
  expect(collide(at('127.0.0.1:0'), at('127.0.0.1:0'))).toBe(false);
});

test('who connects to an address arrives at a listener on it, or on every address', () => {
  const at = parseEndpoint;
  expect(reaches(at('localhost:1'), at('127.0.0.1:1'))).toBe(true);
  expect(reaches(at('127.0.0.1:1'), at('0.0.0.0:1'))).toBe(true);
  expect(reaches(at('10.0.0.1:1'), at('10.0.0.1:1'))).toBe(true);
  expect(reaches(at('collector.example:1'), at('0.0.0.0:1'))).toBe(false);
  expect(reaches(at('127.0.0.1:1'), at('10.0.0.1:1'))).toBe(false);
  expect(reaches(at('localhost:1'), at('localhost:2'))).toBe(false);
});
