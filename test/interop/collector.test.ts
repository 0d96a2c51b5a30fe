import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import {
  brokenMinute,
  EXEMPLAR,
  Sender,
  sendMinutes,
  startServe,
  sumOf,
  until,
  usualMinute,
} from '../service/harness.ts';
import {
  buildCollector,
  exported,
  exporterTo,
  freePort,
  needsCollector,
  startCollector,
  temporaryFolder,
  type CollectorConfig,
} from './collector.ts';
import { numbered, scrape, sourcesOf, taken, untilAccepted } from './counting.ts';
import { run } from './toolbox.ts';

needsCollector('agent');

const CLEAN = { dropped: 0, refused: 0, failed: 0 };

test.for([
  { transport: 'grpc', compression: 'none' },
  { transport: 'grpc', compression: 'gzip' },
  { transport: 'http', compression: 'none' },
  { transport: 'http', compression: 'gzip' },
  { transport: 'http', compression: 'zstd' },
])(
  'every line of a file arrives once over $transport, compression $compression',
  async ({ transport, compression }) => {
    await using folder = await temporaryFolder();
    await using logdrift = await startServe();
    await writeFile(join(folder.path, 'orders.log'), numbered(0, 20_000));
    const exporters = exporterTo(logdrift.ports, transport, { compression });
    await using collector = await startCollector(folder, {
      receivers: { file_log: { include: [join(folder.path, '*.log')], start_at: 'beginning' } },
      exporters,
      service: { pipelines: { logs: { receivers: ['file_log'], exporters: Object.keys(exporters) } } },
    });
    await untilAccepted(logdrift, 20_000);
    await appendFile(join(folder.path, 'orders.log'), numbered(20_000, 20_500));
    await untilAccepted(logdrift, 20_500);
    await collector.stop();

    expect(await taken(logdrift)).toEqual({ grpc: 0, http: 0, ...CLEAN, [transport]: 20_500 });
    expect(await sourcesOf(logdrift)).toEqual({ 'file:orders': 20_500 });
  },
);

test('two files, a named service and the journal are sources of their own, whatever processors regroup them', async () => {
  await using folder = await temporaryFolder();
  await using logdrift = await startServe();
  await writeFile(join(folder.path, 'access.log'), numbered(0, 300));
  // A file that begins like another one is taken for the same file, moved.
  await writeFile(join(folder.path, 'error.log'), numbered(1_000, 1_200));
  await writeFile(join(folder.path, 'app.txt'), numbered(2_000, 2_100));
  // Not every machine has a journal: the receiver runs this journalctl, which prints what the real one prints.
  const journalctl = join(folder.path, 'journalctl');
  const entries = Array.from({ length: 50 }, (_, k) =>
    JSON.stringify({
      __CURSOR: `s=1;i=${k}`,
      __REALTIME_TIMESTAMP: String(Date.now() * 1000 + k),
      _SYSTEMD_UNIT: k < 30 ? 'cron.service' : 'ssh.service',
      SYSLOG_IDENTIFIER: 'daemon',
      PRIORITY: '6',
      // journalctl gives bytes that are not UTF-8 as numbers.
      MESSAGE: k === 7 ? [...Buffer.from(`job ${k} done \xff`, 'latin1')] : `job ${k} done`,
    }),
  );
  await writeFile(join(folder.path, 'journal.json'), entries.join('\n') + '\n');
  await writeFile(journalctl, `#!/bin/sh\ncat ${folder.path}/journal.json\nexec sleep 600\n`, { mode: 0o755 });

  await using collector = await startCollector(folder, {
    receivers: {
      file_log: { include: [join(folder.path, '*.log')], start_at: 'beginning' },
      'file_log/app': {
        include: [join(folder.path, '*.txt')],
        start_at: 'beginning',
        resource: { 'service.name': 'checkout' },
      },
      journald: { journalctl_path: journalctl, start_at: 'beginning' },
    },
    processors: {
      groupbyattrs: { keys: ['log.file.name'] },
      resource: { attributes: [{ key: 'deployment.environment.name', value: 'test', action: 'upsert' }] },
    },
    exporters: exporterTo(logdrift.ports, 'grpc'),
    service: {
      pipelines: {
        logs: {
          receivers: ['file_log', 'file_log/app', 'journald'],
          processors: ['groupbyattrs', 'resource'],
          exporters: ['otlp_grpc'],
        },
      },
    },
  });
  await untilAccepted(logdrift, 650);
  await collector.stop();

  expect(await taken(logdrift)).toEqual({ grpc: 650, http: 0, ...CLEAN });
  expect(await sourcesOf(logdrift)).toEqual({
    'file:access': 300,
    'file:error': 200,
    'file:checkout': 100,
    'journald:cron': 30,
    'journald:ssh': 20,
  });
});

/** Makes journal files out of text: Debian's package systemd-journal-remote. */
const JOURNAL_REMOTE = '/lib/systemd/systemd-journal-remote';

test('a real journal arrives through the real journalctl, a unit a source', async ({ skip }) => {
  for (const program of ['/usr/bin/journalctl', JOURNAL_REMOTE]) {
    if (!existsSync(program)) skip(`${program} is not on this machine`);
  }
  await using folder = await temporaryFolder();
  await using logdrift = await startServe();
  const journal = join(folder.path, 'journal');
  await mkdir(journal);
  const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim().replaceAll('-', '');
  const entries = Array.from({ length: 60 }, (_, k) => {
    const fields = { _BOOT_ID: boot, _SYSTEMD_UNIT: k < 40 ? 'cron.service' : 'ssh.service', PRIORITY: '6' };
    return journalEntry(fields, `job ${k} done${k === 7 ? ' \xff' : ''}`);
  });
  const writing = spawn(JOURNAL_REMOTE, ['-o', join(journal, 'system.journal'), '-'], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  writing.stdin.end(Buffer.concat(entries));
  expect((await once(writing, 'close'))[0]).toBe(0);

  await using _collector = await startCollector(folder, {
    receivers: { journald: { directory: journal, start_at: 'beginning' } },
    exporters: exporterTo(logdrift.ports, 'grpc'),
    service: { pipelines: { logs: { receivers: ['journald'], exporters: ['otlp_grpc'] } } },
  });
  await untilAccepted(logdrift, 60);
  expect(await taken(logdrift)).toEqual({ grpc: 60, http: 0, ...CLEAN });
  expect(await sourcesOf(logdrift)).toEqual({ 'journald:cron': 40, 'journald:ssh': 20 });
});

/** systemd's Journal Export Format; the message in its binary form, for it need not be UTF-8. */
function journalEntry(fields: Record<string, string>, message: string): Buffer {
  const bytes = Buffer.from(message, 'latin1');
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(bytes.length));
  const lines = Object.entries(fields).map(([name, value]) => `${name}=${value}\n`);
  const head = [`__REALTIME_TIMESTAMP=${Date.now()}000\n`, ...lines, 'MESSAGE\n'].join('');
  return Buffer.concat([Buffer.from(head), length, bytes, Buffer.from('\n\n')]);
}

test.for(['http/protobuf', 'grpc'])(
  'anomalies go back into the Collector over %s, and coming round again are dropped',
  async (protocol) => {
    await using folder = await temporaryFolder();
    const back = { grpc: await freePort(), http: await freePort() };
    const port = protocol === 'grpc' ? back.grpc : back.http;
    await using logdrift = await startServe({
      clock: 'event',
      'exporters.otlp.endpoint': `http://127.0.0.1:${port}`,
      'exporters.otlp.protocol': protocol,
    });
    const anomalies = join(folder.path, 'anomalies.jsonl');
    await using collector = await startCollector(folder, {
      receivers: {
        otlp: {
          protocols: {
            grpc: { endpoint: `127.0.0.1:${back.grpc}` },
            http: { endpoint: `127.0.0.1:${back.http}` },
          },
        },
      },
      exporters: {
        ...exporterTo(logdrift.ports, 'grpc'),
        file: { path: anomalies, format: 'json', flush_interval: '100ms' },
      },
      service: { pipelines: { logs: { receivers: ['otlp'], exporters: ['file', 'otlp_grpc'] } } },
    });
    using sender = new Sender(logdrift.ports.grpc);
    await sendMinutes(sender, 'nginx', 0, 40);
    await sendMinutes(sender, 'nginx', 40, 42, brokenMinute);
    const sent = [
      ...Array.from({ length: 40 }, (_, minute) => usualMinute(minute)),
      brokenMinute(40),
      brokenMinute(41),
    ].flat().length;

    const request = await until('an anomaly in the file', async () => (await exported(anomalies))[0]);
    const { resource, scopeLogs } = (request['resourceLogs'] as ResourceLogs[])[0]!;
    expect(valuesOf(resource.attributes)).toMatchObject({ 'service.name': 'nginx' });
    expect(scopeLogs[0]!.scope.name).toBe('logdrift');
    const record = scopeLogs[0]!.logRecords[0]!;
    expect(record).toMatchObject({ eventName: 'logdrift.anomaly', severityNumber: 17, ...EXEMPLAR });
    expect(record.body.stringValue).toContain('file:nginx');
    expect(valuesOf(record.attributes)).toMatchObject({
      source: 'file:nginx',
      severity: 'critical',
      message: record.body.stringValue,
      'logdrift.phase': 'start',
      'logdrift.source.type': 'file',
      'logdrift.source.id': 'nginx',
    });
    const after = await untilAccepted(logdrift, sent + 1);
    expect(after.dropped).toBe(after.grpc - sent);
    expect(await sourcesOf(logdrift)).toEqual({ 'file:nginx': sent });
    const delivered = async () => sumOf(await scrape(logdrift), 'logdrift_exporter_sent_log_records_total');
    await until('all are counted as sent', async () => (await delivered()) === after.dropped);
    expect(collector.log()).not.toMatch(/\t(error|warn)\t/);
  },
);

test('the example configuration passes otelcol validate', async () => {
  await using folder = await temporaryFolder();
  const example = parse(
    await readFile(join(import.meta.dirname, '../../collector-config.example.yaml'), 'utf8'),
  ) as CollectorConfig;
  (example.extensions as Record<string, { directory: string }>)['file_storage']!.directory = folder.path;
  const otelcol = await buildCollector('agent');
  const path = join(folder.path, 'example.yaml');
  await writeFile(path, stringify(example));
  await run(otelcol, ['validate', '--config', path], { timeoutMs: 120_000 });

  // Whichever exporter its pipeline names, the other is not checked: name it too.
  example.service.pipelines['logs']!.exporters = ['otlp_http/logdrift'];
  await writeFile(path, stringify(example));
  await run(otelcol, ['validate', '--config', path], { timeoutMs: 120_000 });
  example.service.pipelines['logs']!.exporters = ['otlp_nowhere'];
  await writeFile(path, stringify(example));
  await expect(run(otelcol, ['validate', '--config', path])).rejects.toThrow('otlp_nowhere');
});

interface KeyValue {
  key: string;
  value: Record<string, unknown>;
}
interface ResourceLogs {
  resource: { attributes: KeyValue[] };
  scopeLogs: {
    scope: { name: string };
    logRecords: { attributes: KeyValue[]; body: { stringValue: string } }[];
  }[];
}

function valuesOf(attributes: readonly KeyValue[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
