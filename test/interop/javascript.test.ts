import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { startServe } from '../service/harness.ts';
import { sourcesOf, taken } from './counting.ts';
import { run, tool } from './toolbox.ts';

const FOLDER = join(import.meta.dirname, 'javascript');
/** Where `require` finds each train; the newest is a development dependency of this repository. */
const trains = { newest: import.meta.filename, 'old (0.45)': '' };

beforeAll(async () => {
  const manifest = join(FOLDER, 'old-train.json');
  const folder = await tool('javascript', manifest, async (folder) => {
    await copyFile(manifest, join(folder, 'package.json'));
    await run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts'], { cwd: folder });
  });
  trains['old (0.45)'] = join(folder, 'package.json');
});

test.for([
  { train: 'newest', compression: 'none' },
  { train: 'newest', compression: 'gzip' },
  { train: 'old (0.45)', compression: 'none' },
  { train: 'old (0.45)', compression: 'gzip' },
] as const)(
  'every record of the $train JavaScript exporters arrives once, compression $compression',
  async ({ train, compression }) => {
    await using logdrift = await startServe();
    const http = `http://127.0.0.1:${logdrift.ports.http}/v1/logs`;
    const send = (...args: string[]): Promise<string> =>
      run(process.execPath, [join(FOLDER, 'send-logs.ts'), trains[train], ...args], { timeoutMs: 60_000 });
    await send('grpc', `http://127.0.0.1:${logdrift.ports.grpc}`, compression, 'js-grpc', '5000');
    await send('http/protobuf', http, compression, 'js-protobuf', '3000');
    await send('http/json', http, compression, 'js-json', '2000');

    expect(await taken(logdrift)).toEqual({ grpc: 5000, http: 5000, dropped: 0, refused: 0, failed: 0 });
    expect(await sourcesOf(logdrift)).toEqual({ 'otlp:js-grpc': 5000, 'otlp:js-json': 2000, 'otlp:js-protobuf': 3000 });
  },
);
