import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { startServe } from '../service/harness.ts';
import { sourcesOf, taken } from './counting.ts';
import { needs, run, tool } from './toolbox.ts';

const FOLDER = join(import.meta.dirname, 'javascript');
interface Send {
  compression: string;
  /** A file from where `require` finds the exporters. */
  train: string;
}

async function arrivesOnce({ compression, train }: Send): Promise<void> {
  await using logdrift = await startServe();
  const http = `http://127.0.0.1:${logdrift.ports.http}/v1/logs`;
  const send = (...args: string[]): Promise<string> =>
    run(process.execPath, [join(FOLDER, 'send-logs.ts'), train, ...args], { timeoutMs: 120_000 });
  await send('grpc', `http://127.0.0.1:${logdrift.ports.grpc}`, compression, 'js-grpc', '5000');
  await send('http/protobuf', http, compression, 'js-protobuf', '3000');
  await send('http/json', http, compression, 'js-json', '2000');

  expect(await taken(logdrift)).toEqual({ grpc: 5000, http: 5000, dropped: 0, refused: 0, failed: 0 });
  expect(await sourcesOf(logdrift)).toEqual({ 'otlp:js-grpc': 5000, 'otlp:js-json': 2000, 'otlp:js-protobuf': 3000 });
}

// The newest train is a development dependency of this repository.
test.for(['none', 'gzip'])(
  'every record of the newest JavaScript exporters arrives once, compression %s',
  (compression) => arrivesOnce({ compression, train: import.meta.filename }),
);

describe('the old train (0.45)', () => {
  let train: string;
  needs('the old train of the JavaScript exporters', async () => {
    const manifest = join(FOLDER, 'old-train.json');
    const folder = await tool('javascript', [manifest], async (folder) => {
      await copyFile(manifest, join(folder, 'package.json'));
      await run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts'], { cwd: folder });
    });
    train = join(folder, 'package.json');
  });

  test.for(['none', 'gzip'])(
    'every record of the old JavaScript exporters arrives once, compression %s',
    (compression) => arrivesOnce({ compression, train }),
  );
});
