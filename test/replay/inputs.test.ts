import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openInputs, type InputItem, type InputOptions } from '../../src/replay/inputs.ts';

const TESTDATA = join(import.meta.dirname, '../testdata/replay');
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'logdrift-inputs-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

const plain: InputOptions = { source: null, timezone: null };

async function read(paths: string[], options: Partial<InputOptions> = {}): Promise<InputItem[]> {
  return Array.fromAsync(openInputs(paths, { ...plain, ...options }));
}

function textOf(item: InputItem): string {
  return Buffer.from(item.kind === 'line' ? item.text : item.json).toString();
}

function clockOf(item: InputItem): string {
  return new Date(item.timeMs).toISOString().slice(11, 19);
}

function request(timeMs: number | null, body = 'x', extra: Record<string, unknown> = {}): string {
  const record = {
    ...(timeMs === null ? {} : { timeUnixNano: `${timeMs}000000` }),
    body: { stringValue: body },
    ...extra,
  };
  return JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: [record] }] }] });
}

const code = (name: string) => expect.objectContaining({ code: name });
const T = Date.UTC(2026, 10, 22, 8, 0, 0);

describe('plain files', () => {
  test('a line is a record with its time, text, source and place', async () => {
    const path = await file('nginx.log', '2026-11-22 08:00:00 one\r\n\n2026-11-22 08:00:01.5 two');
    expect(await read([path])).toEqual([
      {
        kind: 'line',
        timeMs: T,
        text: Buffer.from('2026-11-22 08:00:00 one'),
        source: 'file:nginx',
        file: path,
        line: 1,
      },
      {
        kind: 'line',
        timeMs: T + 1500,
        text: Buffer.from('2026-11-22 08:00:01.5 two'),
        source: 'file:nginx',
        file: path,
        line: 3,
      },
    ]);
  });

  test('--source names all plain files, with the type file where it has none', async () => {
    const path = await file('a.log.1', '2026-11-22 08:00:00 x\n');
    expect(await read([path])).toMatchObject([{ source: 'file:a' }]);
    expect(await read([path], { source: 'syslog:sshd' })).toMatchObject([{ source: 'syslog:sshd' }]);
    expect(await read([path], { source: 'nginx' })).toMatchObject([{ source: 'file:nginx' }]);
  });

  test('a line without a time takes that of the line before, leading ones that of the first', async () => {
    const path = await file(
      'banner.log',
      'banner\nversion 2\n2026-11-22 08:00:00 up\nno time\n2026-11-22 08:00:07 down\nlast',
    );
    const items = await read([path]);
    expect(items.map((item) => [clockOf(item), textOf(item).split(' ').at(-1)])).toEqual([
      ['08:00:00', 'banner'],
      ['08:00:00', '2'],
      ['08:00:00', 'up'],
      ['08:00:00', 'time'],
      ['08:00:07', 'down'],
      ['08:00:07', 'last'],
    ]);
  });

  test('a stack trace is one record', async () => {
    const trace = [
      '2026-11-22 08:00:00 ERROR failed',
      'java.lang.IllegalStateException: no',
      '\tat com.shop.Cart.add(Cart.java:7)',
      'Caused by: java.io.IOException: gone',
      '\t... 12 more',
      '2026-11-22 08:00:01 INFO next',
      '    2026-11-22 08:00:02 INFO indented, with its own time',
    ];
    const items = await read([await file('trace.log', trace.join('\n'))]);
    expect(items.map((item) => [item.line, clockOf(item), textOf(item)])).toEqual([
      [1, '08:00:00', trace[0]],
      [2, '08:00:00', trace.slice(1, 5).join('\n')],
      [6, '08:00:01', trace[5]],
      [7, '08:00:02', trace[6]],
    ]);
  });

  test('a record’s continuation is bounded', async () => {
    const path = await file(
      'deep.log',
      `2026-11-22 08:00:00 x\n${'\tat frame\n'.repeat(10_000)}2026-11-22 08:00:01 y\n`,
    );
    const inputs = openInputs([path], plain);
    const items = await Array.fromAsync(inputs);
    expect(items).toHaveLength(2);
    expect(textOf(items[0]!).split('\n')).toHaveLength(65);
    expect(inputs.stats).toMatchObject({ lines: 10_002, continuationLines: 10_000 });
  });

  test('a line over 1 MiB is cut and counted, its neighbours are whole', async () => {
    const long = `2026-11-22 08:00:00 ${'x'.repeat(3 * 1024 * 1024)}`;
    const path = await file('long.log', `${long}\n2026-11-22 08:00:01 next\n`);
    const inputs = openInputs([path], plain);
    const items = await Array.fromAsync(inputs);
    expect(items.map((item) => textOf(item).length)).toEqual([1024 * 1024, 24]);
    expect(inputs.stats).toMatchObject({ lines: 2, cutLines: 1 });
  });

  test('records over the seams of chunks are whole', async () => {
    const lines = Array.from({ length: 20_000 }, (_, i) => `2026-11-22 08:00:00 ${i} ${'é'.repeat(i % 97)}`);
    const items = await read([await file('many.log', lines.join('\n'))]);
    expect(items.map(textOf)).toEqual(lines);
  });

  test('the hole that copytruncate leaves at the beginning is no text', async () => {
    const path = await file('hole.log', Buffer.concat([Buffer.alloc(700_000), Buffer.from('2026-11-22 08:00:00 x\n')]));
    expect((await read([path])).map(textOf)).toEqual(['2026-11-22 08:00:00 x']);
  });

  test('the zone given holds for zoneless times', async () => {
    const path = await file('zone.log', '2026-07-22 08:00:00 x\n');
    expect((await read([path], { timezone: 'Europe/Berlin' })).map(clockOf)).toEqual(['06:00:00']);
  });

  test('the file’s modification time gives syslog lines their year', async () => {
    const path = await file('syslog', 'Dec 31 23:59:59 h a: x\nJan  1 00:00:00 h a: y\n');
    const modified = Date.UTC(2025, 0, 1, 0, 10) / 1000;
    await utimes(path, modified, modified);
    expect((await read([path])).map((item) => new Date(item.timeMs).toISOString())).toEqual([
      '2024-12-31T23:59:59.000Z',
      '2025-01-01T00:00:00.000Z',
    ]);
  });

  test('real daemons’ logs are read line by line', async () => {
    const daemons = ['haproxy', 'nginx-access', 'nginx-error', 'postgres', 'redis', 'api-1'];
    const inputs = openInputs(
      daemons.map((name) => join(TESTDATA, `${name}.log`)),
      plain,
    );
    const items = await Array.fromAsync(inputs);
    expect([...new Set(items.map((item) => (item.kind === 'line' ? item.source : '')))].toSorted()).toEqual(
      daemons.map((name) => `file:${name}`).toSorted(),
    );
    const days = items.map((item) => new Date(item.timeMs).toISOString().slice(0, 10));
    expect([...new Set(days)]).toEqual(['2026-11-22']);
    expect(inputs.stats.lines).toBe(240);
    // Redis draws its logo, PostgreSQL indents; everything else has its own time.
    expect(inputs.stats.linesWithoutTime).toBeLessThan(10);
  });
});

describe('OTLP/JSON files', () => {
  test('a line is a request, ordered by its first record', async () => {
    const lines = [
      request(T),
      '',
      '  ',
      request(null, 'later', { observedTimeUnixNano: `${T + 5}000000` }),
      request(null),
      request(0, '"timeUnixNano":"7"'),
    ];
    const path = await file('export.jsonl', lines.join('\n'));
    expect((await read([path])).map((item) => [item.kind, item.line, item.timeMs, textOf(item)])).toEqual([
      ['otlp', 1, T, lines[0]],
      ['otlp', 4, T + 5, lines[3]],
      ['otlp', 5, T + 5, lines[4]],
      ['otlp', 6, T + 5, lines[5]],
    ]);
  });

  test('what the Collector’s file exporter writes is recognised, whatever the file is called', async () => {
    const items = await read([join(TESTDATA, 'shop.otlp.jsonl')]);
    expect(items).toHaveLength(30);
    expect(items.every((item) => item.kind === 'otlp')).toBe(true);
    expect(items[0]!.timeMs).toBeCloseTo(1795336664582.0001, 2);
    expect(await read([await file('odd.log', `\n {} \n ${request(T)}\n`)])).toMatchObject([
      { kind: 'otlp' },
      { kind: 'otlp' },
    ]);
    expect(await read([await file('bom.log', `\ufeff${request(T)}`)])).toMatchObject([
      { kind: 'otlp', json: Buffer.from(request(T)) },
    ]);
  });

  test('a log of JSON lines that only mentions OTLP is a plain one', async () => {
    const line = JSON.stringify({ time: T, msg: 'sent', body: { resourceLogs: [] } });
    expect(await read([await file('app.jsonl', line)])).toMatchObject([
      { kind: 'line', timeMs: T, source: 'file:app' },
    ]);
  });

  test('traces and pretty-printed requests are refused by name', async () => {
    const spans = await file('spans.jsonl', '{"resourceSpans":[]}\n');
    await expect(read([spans])).rejects.toThrow(`${spans}: holds spans`);
    const pretty = await file('pretty.json', JSON.stringify(JSON.parse(request(T)), null, 2));
    await expect(read([pretty])).rejects.toThrow(`${pretty}: one request goes over several lines`);
  });
});

describe('compression is told by content', () => {
  const text = '2026-11-22 08:00:00 one\n2026-11-22 08:00:01 two\n';

  test.each([
    ['gzip', gzipSync(text)],
    ['gzip in two members', Buffer.concat([gzipSync(text.slice(0, 30)), gzipSync(text.slice(30))])],
    ['zstd', zstdCompressSync(text)],
    ['zstd in two frames', Buffer.concat([zstdCompressSync(text.slice(0, 30)), zstdCompressSync(text.slice(30))])],
    [
      'zstd behind a skippable frame',
      Buffer.concat([Buffer.from([0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 9]), zstdCompressSync(text)]),
    ],
  ])('%s', async (_, bytes) => {
    const items = await read([await file('packed.log', bytes)]);
    expect(items.map(textOf).join('\n')).toBe(text.trimEnd());
  });

  test('a plain file called .gz is read as it is', async () => {
    expect(await read([await file('plain.log.gz', text)])).toHaveLength(2);
  });

  test('a cut or damaged file is an error that names it', async () => {
    const long = gzipSync(Array.from({ length: 5000 }, (_, i) => `2026-11-22 08:00:00 ${i * 7919}`).join('\n'));
    const cut = await file('cut.gz', long.subarray(0, long.length - 20));
    await expect(read([cut])).rejects.toThrow(code('LOGDRIFT_INPUT_DAMAGED'));
    await expect(read([cut])).rejects.toThrow(cut);
    const damaged = await file(
      'damaged.zst',
      Buffer.concat([zstdCompressSync(text).subarray(0, 8), Buffer.alloc(50, 0xaa)]),
    );
    await expect(read([damaged])).rejects.toThrow(code('LOGDRIFT_INPUT_DAMAGED'));
  });

  test('another compression is named', async () => {
    const path = await file('a.log.xz', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0, 1]));
    await expect(read([path])).rejects.toThrow(`${path}: is compressed with xz`);
  });
});

describe('several files', () => {
  test('are merged by time, the first named first at equal times', async () => {
    const a = await file(
      'm-a.log',
      ['08:00:00 a1', '08:00:02 a2', '08:00:04 a3'].map((line) => `2026-11-22 ${line}`).join('\n'),
    );
    const b = await file(
      'm-b.log',
      ['22/Nov/2026:08:00:01 +0000] b1', '22/Nov/2026:08:00:02 +0000] b2'].map((line) => `- [${line}`).join('\n'),
    );
    const c = await file(
      'm-c.jsonl',
      [request(T + 500, 'c1'), request(T + 2000, 'c2'), request(T + 9000, 'c3')].join('\n'),
    );
    const order = (items: InputItem[]) => items.map((item) => /[abc][123]/.exec(textOf(item))![0]);
    expect(order(await read([a, b, c]))).toEqual(['a1', 'c1', 'b1', 'a2', 'b2', 'c2', 'a3', 'c3']);
    expect(order(await read([c, b, a]))).toEqual(['a1', 'c1', 'b1', 'c2', 'b2', 'a2', 'a3', 'c3']);
  });

  test('many files with random times come out in order, each complete', async () => {
    let seed = 3;
    const random = () => (seed = (seed * 48271) % 2147483647);
    const paths: string[] = [];
    for (let i = 0; i < 12; i++) {
      const times = Array.from({ length: random() % 400 }, () => T + (random() % 100_000)).sort((x, y) => x - y);
      paths.push(await file(`r-${i}.log`, times.map((timeMs) => `${new Date(timeMs).toISOString()} ${i}`).join('\n')));
    }
    const items = await read(paths);
    const times = items.map((item) => item.timeMs);
    expect(times).toEqual(times.toSorted((x, y) => x - y));
    const apart = (await Promise.all(paths.map((path) => read([path])))).flat();
    expect(items.length).toBe(apart.length);
    for (let i = 1; i < items.length; i++) {
      if (items[i]!.timeMs === items[i - 1]!.timeMs)
        expect(paths.indexOf(items[i]!.file)).toBeGreaterThanOrEqual(paths.indexOf(items[i - 1]!.file));
    }
  });

  test('an empty file adds nothing', async () => {
    const empty = await file('empty.log', '');
    const blank = await file('blank.log', '\n\n  \n');
    const full = await file('full.log', '2026-11-22 08:00:00 x\n');
    expect(await read([empty, full, blank])).toHaveLength(1);
    expect(await read([empty])).toEqual([]);
  });

  test('progress counts the bytes as stored', async () => {
    const packed = gzipSync('2026-11-22 08:00:00 x\n'.repeat(1000));
    const a = await file('p.gz', packed);
    const b = await file('p.log', '2026-11-22 08:00:00 y\n');
    const inputs = openInputs([a, b], plain);
    await Array.fromAsync(inputs);
    expect(inputs.stats).toMatchObject({ bytesRead: packed.length + 22, totalBytes: packed.length + 22, lines: 1001 });
  });
});

describe('errors name the file, before anything is read', () => {
  test('a missing file, a directory, one named twice', async () => {
    const good = await file('good.log', '2026-11-22 08:00:00 x\n');
    const missing = join(folder, 'missing.log');
    await expect(read([good, missing])).rejects.toThrow(code('LOGDRIFT_INPUT_NOT_FOUND'));
    await expect(read([good, missing])).rejects.toThrow(`${missing}: no such file`);
    const directory = join(folder, 'directory');
    await mkdir(directory);
    await expect(read([directory])).rejects.toThrow(`${directory}: is a directory; name the files in it`);
    await expect(read([good, good])).rejects.toThrow(code('LOGDRIFT_INPUT_TWICE'));
  });

  test.skipIf(process.getuid?.() === 0)('an unreadable file', async () => {
    const path = await file('secret.log', 'x');
    await chmod(path, 0);
    await expect(read([path])).rejects.toThrow(code('LOGDRIFT_INPUT_UNREADABLE'));
  });

  test('text that is not UTF-8', async () => {
    const latin1 = await file('latin1.log', Buffer.from('2026-11-22 08:00:00 für\n', 'latin1'));
    await expect(read([latin1])).rejects.toThrow(`${latin1}: is not UTF-8 text`);
    const utf16 = await file('utf16.log', Buffer.from('\ufeff2026-11-22 08:00:00 x\n', 'utf16le'));
    await expect(read([utf16])).rejects.toThrow('iconv -f utf-16');
    const binary = await file('binary.log', Buffer.from('\x01\x00\x00'.repeat(100)));
    await expect(read([binary])).rejects.toThrow(code('LOGDRIFT_INPUT_NOT_UTF8'));
  });

  test('a file without any time, at its end or after 10,000 lines', async () => {
    const short = await file('timeless.log', 'a\nb\n');
    await expect(read([short])).rejects.toThrow(code('LOGDRIFT_INPUT_NO_TIME'));
    await expect(read([short])).rejects.toThrow(`${short}: no timestamp in its first 2 lines`);
    const late = 'no time\n'.repeat(9_999);
    expect(await read([await file('late.log', `${late}2026-11-22 08:00:00 x\n`)])).toHaveLength(10_000);
    const never = await file('never.log', `${late}no time\n2026-11-22 08:00:00 x\n`);
    await expect(read([never])).rejects.toThrow('in its first 10000 lines');
  });

  test('an unknown zone', async () => {
    await expect(read([await file('z.log', 'x')], { timezone: 'Nowhere' })).rejects.toThrow(
      code('LOGDRIFT_INPUT_TIMEZONE'),
    );
  });
});

describe('standard input and lifetimes', () => {
  const script = `
    import { openInputs } from ${JSON.stringify(join(import.meta.dirname, '../../src/replay/inputs.ts'))};
    for await (const item of openInputs(['-'], { source: process.argv[1] ?? null, timezone: null }))
      console.log(item.kind, item.source ?? '', item.timeMs, item.file);`;

  test('`-` reads standard input, compressed or not', async () => {
    const run = async (input: Uint8Array | string, ...args: string[]) => {
      const child = spawn(process.execPath, ['--input-type=module', '-e', script, ...args], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      child.stdin.end(input);
      const output = Buffer.concat(await Array.fromAsync(child.stdout as AsyncIterable<Buffer>)).toString();
      if (child.exitCode === null) await once(child, 'exit');
      return output.trim();
    };
    expect(await run('2026-11-22 08:00:00 x\n', 'file:nginx')).toBe(`line file:nginx ${T} standard input`);
    expect(await run('2026-11-22 08:00:00 x\n')).toBe(`line file:stdin ${T} standard input`);
    expect(await run(zstdCompressSync(request(T)))).toBe(`otlp  ${T} standard input`);
  });

  test('leaving early closes the files', async () => {
    const script = `
      import { readdirSync } from 'node:fs';
      import { openInputs } from ${JSON.stringify(join(import.meta.dirname, '../../src/replay/inputs.ts'))};
      const before = readdirSync('/proc/self/fd').length;
      for await (const item of openInputs(process.argv.slice(1), { source: null, timezone: null })) break;
      const left = () => readdirSync('/proc/self/fd').length - before;
      for (let waits = 0; left() > 0 && waits < 100; waits++) await new Promise((done) => setTimeout(done, 50));
      console.log(left());`;
    const lines = '2026-11-22 08:00:00 x\n'.repeat(100_000);
    const paths = [await file('leave-a.log', lines), await file('leave-b.gz', gzipSync(lines))];
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script, ...paths]);
    expect(Number(stdout)).toBeLessThanOrEqual(0);
  });
});
