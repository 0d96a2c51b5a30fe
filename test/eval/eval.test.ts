import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createStream, START_MS } from '../../eval/synthetic/stream.ts';
import { exportRequest } from '../../eval/synthetic/write.ts';

const EVAL = new URL('../../eval/eval.ts', import.meta.url).pathname;

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'logdrift-'));
  // Fifty minutes, in which one source repeats itself ten times for four minutes.
  const { minutes } = createStream({ seed: 3, days: 2 });
  const requests = [...minutes().take(50)].map((lines, k) => {
    const isLoud = k >= 40 && k < 44;
    return exportRequest(
      lines.flatMap((line) => Array<typeof line>(isLoud && line.source === 'db' ? 10 : 1).fill(line)),
    );
  });
  await mkdir(join(directory, 'sets'));
  await writeFile(join(directory, 'sets', 'loud.otlp.jsonl'), requests.join('\n'));
  const nanos = (minute: number): string => String(BigInt(START_MS + minute * 60_000) * 1_000_000n);
  const fault = { source: 'db', kind: 'echo', start: nanos(40), end: nanos(44) };
  await writeFile(join(directory, 'sets', 'loud.labels.json'), JSON.stringify({ faults: [fault] }));
  await writeFile(join(directory, 'sets', 'unlabelled.otlp.jsonl'), requests[0]!);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function run(...options: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [
    EVAL,
    join(directory, 'sets'),
    '--cache',
    join(directory, 'cache'),
    ...options,
  ]);
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: code as number, stdout, stderr };
}

test('a folder of labelled recordings becomes tables, and what was run is not run again', async () => {
  const first = await run('--only', 'loud', '--variants', 'default');
  expect(first.stderr).toMatch(/^1 of 1: loud, default in \d+ s\n$/);
  expect(first.code).toBe(0);
  expect(first.stdout).toMatch(/^\*\*loud\*\*: 1 faults, \d+ source-hours without one, [\d,]+ records$/m);
  expect(first.stdout).toMatch(/^\| random +\| 0\.\d{3} \|/m);
  expect(first.stdout).toMatch(/^\| all channels \(default\) +\| [01]\.\d{3} \|/m);
  expect(first.stdout).toMatch(/^\| echo +\| 1 +\| [01] +\|/m);
  const again = await run('--only', 'loud', '--variants', 'default');
  expect(again.stdout).toBe(first.stdout);
  expect(again.stderr).toBe(`1 of 1 runs are known from ${join(directory, 'cache')}\n`);
});

test('a set or variant that there is not is told with those there are', async () => {
  expect(await run('--only', 'quiet')).toEqual({
    code: 64,
    stdout: '',
    stderr: 'eval: no set is called quiet; there are shop-bench, shop-bench-2, loud\n',
  });
  const { code, stderr } = await run('--only', 'loud', '--variants', 'rank 4');
  expect(code).toBe(64);
  expect(stderr).toMatch(/^eval: no variant is called rank 4; there are: default, /);
});
