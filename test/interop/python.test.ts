import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startServe } from '../service/harness.ts';
import { sourcesOf, taken } from './counting.ts';
import { needs, run, tool } from './toolbox.ts';

const FOLDER = join(import.meta.dirname, 'python');
let python: string;

needs('the Python exporters', async () => {
  const requirements = join(FOLDER, 'requirements.txt');
  const venv = await tool('python', [requirements], async (folder) => {
    await run('python3', ['-m', 'venv', folder]);
    await run(join(folder, 'bin/python'), ['-m', 'pip', 'install', '--no-deps', '--requirement', requirements]);
  });
  python = join(venv, 'bin/python');
});

/** Everything the exporter warns of is on stderr; a good run is silent. */
function send(...args: string[]): Promise<string> {
  return run(python, ['-W', 'ignore', join(FOLDER, 'send_logs.py'), ...args], { timeoutMs: 120_000 });
}

test.for(['none', 'gzip', 'deflate'])(
  'every record of the Python exporters arrives once, compression %s',
  async (compression) => {
    await using logdrift = await startServe();
    await send('grpc', `http://127.0.0.1:${logdrift.ports.grpc}`, compression, 'python-grpc', '5000');
    await send('http', `http://127.0.0.1:${logdrift.ports.http}/v1/logs`, compression, 'python-http', '3000');

    expect(await taken(logdrift)).toEqual({ grpc: 5000, http: 3000, dropped: 0, refused: 0, failed: 0 });
    expect(await sourcesOf(logdrift)).toEqual({ 'otlp:python-grpc': 5000, 'otlp:python-http': 3000 });
  },
);
