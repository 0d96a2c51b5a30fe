import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startServe } from '../service/harness.ts';
import { sourcesOf, taken } from './counting.ts';
import { needs, run, tool, TOOLBOX } from './toolbox.ts';

const FOLDER = join(import.meta.dirname, 'java');
let jars: string;

needs('the Java exporters', async () => {
  const manifest = join(FOLDER, 'pom.xml');
  const folder = await tool('java', [manifest], async (folder) => {
    await copyFile(manifest, join(folder, 'pom.xml'));
    const kept = `-Dmaven.repo.local=${join(TOOLBOX, 'maven')}`;
    await run('mvn', ['-q', '-B', kept, 'dependency:copy-dependencies', '-DoutputDirectory=jars'], { cwd: folder });
  });
  await run('java', ['-version']);
  jars = join(folder, 'jars/*');
});

function send(...args: string[]): Promise<string> {
  return run('java', ['-cp', jars, join(FOLDER, 'SendLogs.java'), ...args], { timeoutMs: 120_000 });
}

test.for(['none', 'gzip'])('every record of the Java exporters arrives once, compression %s', async (compression) => {
  await using logdrift = await startServe();
  await send('grpc', `http://127.0.0.1:${logdrift.ports.grpc}`, compression, 'java-grpc', '5000');
  await send('http', `http://127.0.0.1:${logdrift.ports.http}/v1/logs`, compression, 'java-http', '3000');

  expect(await taken(logdrift)).toEqual({ grpc: 5000, http: 3000, dropped: 0, refused: 0, failed: 0 });
  expect(await sourcesOf(logdrift)).toEqual({ 'otlp:java-grpc': 5000, 'otlp:java-http': 3000 });
});
