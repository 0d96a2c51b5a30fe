import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { brokenMinute, Sender, sendMinutes, startServe } from '../service/harness.ts';
import { scrape, sourcesOf, taken } from './counting.ts';
import { go, needs, run, TOOLBOX } from './toolbox.ts';

const BIN = join(TOOLBOX, 'bin');

needs("the Go exporters and promtool's linter", () =>
  // Go knows by itself what is built already.
  go(['build', '-o', `${BIN}/`, './...'], { cwd: join(import.meta.dirname, 'go') }),
);

test.for(['none', 'gzip'])('every record of the Go exporters arrives once, compression %s', async (compression) => {
  await using logdrift = await startServe();
  const send = (...args: string[]): Promise<string> => run(join(BIN, 'send-logs'), args, { timeoutMs: 120_000 });
  await send('grpc', `127.0.0.1:${logdrift.ports.grpc}`, compression, 'go-grpc', '5000');
  await send('http', `127.0.0.1:${logdrift.ports.http}`, compression, 'go-http', '3000');

  expect(await taken(logdrift)).toEqual({ grpc: 5000, http: 3000, dropped: 0, refused: 0, failed: 0 });
  expect(await sourcesOf(logdrift)).toEqual({ 'otlp:go-grpc': 5000, 'otlp:go-http': 3000 });
});

test("a scrape in the middle of an anomaly passes promtool's linter", async () => {
  await using logdrift = await startServe({ clock: 'event' });
  using sender = new Sender(logdrift.ports.grpc);
  await sendMinutes(sender, 'nginx', 0, 40);
  await sendMinutes(sender, 'nginx', 40, 42, brokenMinute);
  const exposition = await scrape(logdrift);
  expect(exposition).toMatch(/^logdrift_dmd_normalized_error\{source="file:nginx"\} /m);

  expect(await lint(exposition)).toEqual({ code: 0, problems: '' });
  expect(await lint('# TYPE wrong_count counter\nwrong_count 1\n')).toMatchObject({ code: 3 });
});

async function lint(exposition: string): Promise<{ code: unknown; problems: string }> {
  const linter = spawn(join(BIN, 'lint-metrics'), { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(linter, 'close');
  linter.stdin.end(exposition);
  const problems = await text(linter.stdout);
  return { code: (await exited)[0], problems };
}
