import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { STRIP_TYPES_SAFELY } from '../strip-types.ts';
import { go, needs, run, TOOLBOX } from './toolbox.ts';

const H2SPEC = 'github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible';
const TLS = join(import.meta.dirname, '../testdata/tls');

needs('h2spec, the conformance tests of HTTP/2 and HPACK,', () => go(['install', H2SPEC]));

test.each([
  ['plain', []],
  ['TLS', [join(TLS, 'server.crt'), join(TLS, 'server.key')]],
])('our HTTP/2 passes all of h2spec, %s', async (_name, certificate) => {
  const program = join(import.meta.dirname, 'h2spec-server.ts');
  const server = spawn(process.execPath, [...STRIP_TYPES_SAFELY, program, ...certificate], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [port] = (await once(server.stdout, 'data')) as [Buffer];
    const secure = certificate.length === 0 ? [] : ['--tls', '--insecure'];
    const args = ['--host', '127.0.0.1', '--port', port.toString().trim(), '--timeout', '5', ...secure];
    const report = await run(join(TOOLBOX, 'bin/h2spec'), args, { timeoutMs: 120_000 });
    expect(report).toMatch(/145 tests, 145 passed, 0 skipped, 0 failed/);
  } finally {
    server.kill();
  }
});
