/**
 * Installs the packed tarball into an empty folder, as a user would, and runs what it ships: the command, a replay and the library.
 * Not a vitest file: it needs the built `dist` and the registry.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'logdrift-pack-'));
const run = (command: string, args: string[], cwd = folder): string =>
  execFileSync(command, args, { cwd, encoding: 'utf8' });

try {
  const [{ filename, files }] = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', folder], root)) as [
    { filename: string; files: { path: string }[] },
  ];
  const shipped = files.map((file) => file.path);
  for (const path of [
    'dist/cli.js',
    'dist/library.js',
    'dist/library.d.ts',
    'dist/shard/thread.js',
    'dist/store/thread.js',
    'LICENSE',
  ]) {
    assert.ok(shipped.includes(path), `${path} is not in the package`);
  }
  assert.ok(
    !shipped.some((path) => path.startsWith('test/') || path.startsWith('src/')),
    'sources or tests are in the package',
  );

  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'smoke', private: true, type: 'module' }));
  run('npm', ['install', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund', join(folder, filename)]);
  const cli = join(folder, 'node_modules', 'logdrift', 'dist', 'cli.js');
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  assert.equal(run(process.execPath, [cli, '--version']), `logdrift ${version}\n`);

  writeFileSync(
    join(folder, 'app.log'),
    `${Array.from({ length: 60 }, (_, minute) => `2026-11-22T10:${String(minute).padStart(2, '0')}:30Z request ${minute} done`).join('\n')}\n`,
  );
  const summary = JSON.parse(run(process.execPath, [cli, 'replay', 'app.log', '--json'])) as { records: number };
  assert.equal(summary.records, 60);

  writeFileSync(
    join(folder, 'library.js'),
    `import { createDriftDetector } from 'logdrift';
     await using detector = await createDriftDetector();
     await detector.processLog(Date.now(), 'hello');
     console.log(JSON.stringify(detector.getStats()));`,
  );
  assert.deepEqual(JSON.parse(run(process.execPath, ['library.js'])), {
    enabled: true,
    active_detectors: 1,
    sources: ['default'],
  });

  const ports = [
    'telemetry.endpoint',
    'admin.endpoint',
    'receivers.otlp.protocols.grpc.endpoint',
    'receivers.otlp.protocols.http.endpoint',
  ];
  const service = spawn(
    process.execPath,
    [
      cli,
      'serve',
      '--set',
      `storage.directory=${join(folder, 'state')}`,
      ...ports.flatMap((key) => ['--set', `${key}=127.0.0.1:0`]),
    ],
    {
      stdio: ['ignore', 'inherit', 'pipe'],
    },
  );
  let log = '';
  service.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
    if (log.includes('logdrift started') && !log.includes('stopping') && !service.killed) service.kill('SIGTERM');
  });
  // Not `exit`: what it printed may come after that.
  const [code] = (await once(service, 'close')) as [number | null];
  assert.equal(code, 0, log);
  assert.match(log, /logdrift stopped/);
  process.stdout.write(`packed ${filename}: ${files.length} files, installed and run\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
